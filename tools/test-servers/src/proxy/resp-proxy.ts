import { once } from 'node:events';
import { type AddressInfo, type Server, type Socket, connect, createServer } from 'node:net';
import { RespFrames, textsOf } from './resp-frames.js';

/** How a proxy interferes with the protocol of Redis. */
export interface RespInterference {
  /** The reply to a command that the proxy answers itself; `undefined` forwards the command. */
  readonly answer?: (command: readonly string[]) => Buffer | undefined;
  /** Changes the reply to a command. */
  readonly change?: (reply: Buffer, command: readonly string[]) => Buffer;
  /** Whether a message to a subscriber is lost. */
  readonly isLost?: (message: readonly string[]) => boolean;
}

/** A command whose reply is due, in the order of the commands. */
interface Due {
  readonly command: readonly string[];
  reply?: Buffer;
}

/** A proxy that understands commands and replies of Redis, and interferes with them as real proxies do. */
export class RespProxy {
  readonly host = '127.0.0.1';
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** May be replaced at any time. */
  interference: RespInterference;

  private constructor(
    private readonly targetPort: number,
    interference: RespInterference,
  ) {
    this.interference = interference;
    this.#server = createServer({ noDelay: true }, (client) => this.#accept(client));
  }

  static async start(targetPort: number, interference: RespInterference = {}): Promise<RespProxy> {
    const proxy = new RespProxy(targetPort, interference);
    proxy.#server.listen(0, proxy.host);
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `redis://${this.host}:${this.port}`;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #accept(client: Socket): void {
    const server = connect({ port: this.targetPort, host: this.host, noDelay: true });
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        this.#sockets.delete(socket);
        client.destroy();
        server.destroy();
      });
    }
    const [commands, replies] = [new RespFrames(), new RespFrames()];
    const due: Due[] = [];
    const flush = () => {
      while (due[0]?.reply) client.write(due.shift()!.reply!);
    };
    client.on('data', (bytes) => {
      for (const frame of commands.add(bytes)) {
        const command = textsOf(frame);
        const reply = this.interference.answer?.(command);
        due.push({ command, ...(reply && { reply }) });
        if (!reply) server.write(frame);
      }
      flush();
    });
    server.on('data', (bytes) => {
      for (const frame of replies.add(bytes)) {
        const next = due.find(({ reply }) => reply === undefined);
        const message = /^[*>]3\r\n\$\d+\r\nmessage\r\n/u.test(frame.toString('latin1', 0, 30))
          ? textsOf(frame)
          : undefined;
        if (message || !next) {
          if (!this.interference.isLost?.(message ?? [])) client.write(frame);
        } else {
          next.reply = this.interference.change?.(frame, next.command) ?? frame;
        }
      }
      flush();
    });
  }
}
