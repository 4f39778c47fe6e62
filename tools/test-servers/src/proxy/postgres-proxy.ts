import { once } from 'node:events';
import { type AddressInfo, type Server, type Socket, connect, createServer } from 'node:net';

/** How a proxy interferes with the protocol of PostgreSQL. */
export interface PostgresInterference {
  /** Changes the text of a statement before the server receives it. */
  readonly rewrite?: (sql: string) => string;
  /** Changes a cell of a row before the client receives it. */
  readonly change?: (cell: string) => string;
  /** Whether notifications are lost. */
  readonly losesNotifications?: boolean;
}

/** A message: its type, and what follows its length. The first message of a client has no type. */
interface WireMessage {
  readonly type: string;
  readonly body: Buffer;
}

const STARTUP = '';

/**
 * A proxy that understands statements and rows of PostgreSQL, and interferes with them: a statement that it rewrites is
 * what another engine would make of the original.
 */
export class PostgresProxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** May be replaced at any time. */
  interference: PostgresInterference;

  private constructor(
    private readonly target: URL,
    interference: PostgresInterference,
  ) {
    this.interference = interference;
    this.#server = createServer({ noDelay: true }, (client) => this.#accept(client));
  }

  /** @param url - Of the server behind it. */
  static async start(url: string, interference: PostgresInterference = {}): Promise<PostgresProxy> {
    const proxy = new PostgresProxy(new URL(url), interference);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  /** The same URL, through the proxy. */
  get url(): string {
    return Object.assign(new URL(this.target), { port: String((this.#server.address() as AddressInfo).port) }).href;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #accept(client: Socket): void {
    const server = connect({ port: Number(this.target.port), host: this.target.hostname, noDelay: true });
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        this.#sockets.delete(socket);
        client.destroy();
        server.destroy();
      });
    }
    client.on(
      'data',
      messages(true, (message) => server.write(pack(this.#toServer(message)))),
    );
    server.on(
      'data',
      messages(false, (message) => {
        if (message.type !== 'A' || !this.interference.losesNotifications) client.write(pack(this.#toClient(message)));
      }),
    );
  }

  /** `Q` is the text of a statement; `P` is the name of a statement, then its text, then its parameters' types. */
  #toServer({ type, body }: WireMessage): WireMessage {
    const { rewrite } = this.interference;
    if (!rewrite || (type !== 'Q' && type !== 'P')) return { type, body };
    const start = type === 'Q' ? 0 : body.indexOf(0) + 1;
    const end = body.indexOf(0, start);
    const text = Buffer.from(rewrite(body.toString('utf8', start, end)));
    return { type, body: Buffer.concat([body.subarray(0, start), text, body.subarray(end)]) };
  }

  /** `D` is a row: the number of its cells, then each cell's length (-1 for null) and text. */
  #toClient({ type, body }: WireMessage): WireMessage {
    const { change } = this.interference;
    if (!change || type !== 'D') return { type, body };
    const parts: Buffer[] = [body.subarray(0, 2)];
    for (let at = 2; at < body.length;) {
      const length = body.readInt32BE(at);
      const cell = length < 0 ? undefined : Buffer.from(change(body.toString('utf8', at + 4, at + 4 + length)));
      const head = Buffer.alloc(4);
      head.writeInt32BE(cell?.length ?? -1);
      parts.push(head, cell ?? Buffer.alloc(0));
      at += 4 + Math.max(0, length);
    }
    return { type, body: Buffer.concat(parts) };
  }
}

/** Splits a stream into messages. */
function messages(isClient: boolean, handle: (message: WireMessage) => void): (bytes: Buffer) => void {
  let rest = Buffer.alloc(0);
  let isFirst = isClient;
  return (bytes) => {
    rest = Buffer.concat([rest, bytes]);
    for (;;) {
      const typeBytes = isFirst ? 0 : 1;
      if (rest.length < typeBytes + 4) return;
      const end = typeBytes + rest.readInt32BE(typeBytes);
      if (rest.length < end) return;
      handle({ type: isFirst ? STARTUP : rest.toString('latin1', 0, 1), body: rest.subarray(typeBytes + 4, end) });
      rest = rest.subarray(end);
      isFirst = false;
    }
  };
}

function pack({ type, body }: WireMessage): Buffer {
  const length = Buffer.alloc(4);
  length.writeInt32BE(body.length + 4);
  return Buffer.concat([Buffer.from(type, 'latin1'), length, body]);
}
