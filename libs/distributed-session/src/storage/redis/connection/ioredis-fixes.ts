import { Redis, type RedisOptions } from 'ioredis';
import { Socket } from 'node:net';

/**
 * A client that ends when it is told to, and not before. One of ioredis ends by itself, for good, when a Sentinel tells
 * of a failover just while the client asks who the master is.
 */
export class ReconnectingRedis extends Redis {
  #attempts = 0;
  #retry: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: RedisOptions) {
    super({ ...options, replyMapping: 'legacy' });
    this.on('ready', () => {
      this.#attempts = 0;
    });
    this.on('end', () => this.#reopen());
  }

  override disconnect(reconnect = false): void {
    if (!reconnect) {
      this.#isClosed = true;
      clearTimeout(this.#retry);
    }
    super.disconnect(reconnect);
  }

  #reopen(): void {
    const delay = this.options.retryStrategy?.(++this.#attempts);
    if (this.#isClosed || typeof delay !== 'number') return;
    // What goes wrong is emitted as an error, and ends in another attempt.
    this.#retry = setTimeout(() => void this.connect().catch(() => {}), delay);
  }
}

const patient = new WeakSet<object>();

/**
 * Makes a socket read what has arrived before a time-out of ioredis destroys it. The time-out is a timer, and after this
 * process has stood still timers run first: replies that are here would be lost with a connection that works.
 */
export function readBeforeTimeout(socket: object): void {
  if (patient.has(socket) || !(socket instanceof Socket)) return;
  patient.add(socket);
  const destroy = socket.destroy.bind(socket);
  socket.destroy = (error?: Error) => {
    if (!error?.message.startsWith('Socket timeout')) return destroy(error);
    const { bytesRead } = socket;
    setImmediate(() => {
      if (socket.bytesRead === bytesRead) destroy(error);
    });
    return socket;
  };
}

/**
 * Makes a client, and its duplicates, end quietly when they are closed within a TLS handshake. ioredis listens to one
 * error of a socket. Such a socket may have two: the certificate is refused, and the server complains of a handshake
 * that was cut short. An error that nobody hears ends the process.
 */
export function endQuietly(client: Redis): Redis {
  const disconnect = client.disconnect.bind(client);
  client.disconnect = (reconnect) => {
    // There is none before the first attempt.
    const socket = client.stream as Redis['stream'] | undefined;
    socket?.on('error', () => {});
    disconnect(reconnect);
  };
  const duplicate = client.duplicate.bind(client);
  client.duplicate = (override) => endQuietly(duplicate(override));
  return client;
}
