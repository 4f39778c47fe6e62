import { Socket } from 'node:net';
import type { RedisOptions } from 'ioredis';
import { Redis } from './ioredis.js';

// Workarounds for ioredis. Each one names the behaviour that it works around, so that it can be removed with it.

/**
 * A client that reconnects until `disconnect()` is called.
 *
 * The failover detector of ioredis (redis/ioredis#1328) closes the connector. If a Sentinel announces a failover while
 * the client is still asking the Sentinels for the master, the client emits `end` and never calls `retryStrategy`.
 */
export class ReconnectingRedis extends Redis {
  #attempts = 0;
  #retry: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: RedisOptions) {
    super({ ...options, replyMapping: 'legacy' });
    endTimeoutWithConnection(this);
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
    // A failed attempt emits `error` and `end`, which schedules the next one.
    this.#retry = setTimeout(() => void this.connect().catch(() => {}), delay);
  }
}

/**
 * Ends the timer of `socketTimeout` with its connection: in ioredis 5 it goes on, and destroys the connection that
 * follows.
 */
function endTimeoutWithConnection(client: Redis): void {
  client.on('close', () => {
    const timed = client as unknown as { socketTimeoutTimer?: NodeJS.Timeout | undefined };
    clearTimeout(timed.socketTimeoutTimer);
    timed.socketTimeoutTimer = undefined;
  });
}

const drainedSockets = new WeakSet<object>();

/**
 * Makes a socket read the data that has arrived before a timeout of ioredis destroys it.
 *
 * `socketTimeout` (redis/ioredis#1882) is a plain timer. After this process was suspended or busy, timers run before
 * sockets are read: without this, replies that have arrived are lost together with a healthy connection.
 */
export function drainBeforeTimeout(socket: object): void {
  if (drainedSockets.has(socket) || !(socket instanceof Socket)) return;
  drainedSockets.add(socket);
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
 * Silences the errors of sockets that a client, or a duplicate of it, closes during a TLS handshake.
 *
 * ioredis handles only the first error of a socket (redis/ioredis#962). Such a socket may emit two: one for the rejected
 * certificate, one for the interrupted handshake. An unhandled `error` event ends the process.
 */
export function silenceCloseErrors(client: Redis): Redis {
  const disconnect = client.disconnect.bind(client);
  client.disconnect = (reconnect) => {
    // Undefined before the first attempt to connect.
    const socket = client.stream as Redis['stream'] | undefined;
    socket?.on('error', () => {});
    disconnect(reconnect);
  };
  const duplicate = client.duplicate.bind(client);
  client.duplicate = (override) => silenceCloseErrors(duplicate(override));
  return client;
}
