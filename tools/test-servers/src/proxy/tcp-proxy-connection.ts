import { connect, type Socket } from 'node:net';
import type { TcpFaults } from './tcp-proxy-faults.js';
import { TcpQueue } from './tcp-proxy-queue.js';

export interface TcpTarget {
  readonly host: string;
  readonly port: number;
}

/** Counters over all connections of a proxy. */
export interface TcpCounts {
  connectionsOpened: number;
  bytesUp: number;
  bytesDown: number;
  repliesDropped: number;
}

/** A client's connection through the proxy, with its connection to the server. */
export class TcpProxyConnection {
  readonly #server: Socket;
  readonly #up: TcpQueue;
  readonly #down: TcpQueue;
  #losesReply = false;

  constructor(
    private readonly client: Socket,
    target: TcpTarget,
    private readonly faults: TcpFaults,
    private readonly counts: TcpCounts,
  ) {
    this.#server = connect({ ...target, allowHalfOpen: true, noDelay: true });
    this.#up = new TcpQueue('up', client, this.#server, faults, (bytes) => (counts.bytesUp += bytes));
    this.#down = new TcpQueue('down', this.#server, client, faults, (bytes) => (counts.bytesDown += bytes));
    client.on('data', (bytes: Buffer) => this.#request(bytes));
    this.#server.on('data', (bytes: Buffer) => this.#reply(bytes));
    // What a disconnected client had sent still reaches the server, and the end of the connection after it.
    for (const event of ['end', 'close']) {
      client.on(event, () => this.#up.end());
      this.#server.on(event, () => this.#down.end());
    }
    client.on('error', () => this.#up.end());
    this.#server.on('error', () => this.#serverFailed());
  }

  /** The bytes received and not yet forwarded. */
  get heldBytes(): number {
    return this.#up.heldBytes + this.#down.heldBytes;
  }

  /** Resolves once both sides are closed. */
  async closed(): Promise<void> {
    const sides = [this.client, this.#server].map((side) => new Promise((resolve) => side.once('close', resolve)));
    await Promise.all(sides);
  }

  /** Forwards what the faults allow, after they have changed. */
  pump(): void {
    this.#up.pump();
    this.#down.pump();
  }

  destroy(): void {
    this.#up.close();
    this.#down.close();
    this.client.destroy();
    this.#server.destroy();
  }

  #request(bytes: Buffer): void {
    const losesReply = this.faults.takesReplyOf(bytes);
    this.#up.push(bytes, losesReply ? () => (this.#losesReply = true) : undefined);
  }

  #reply(bytes: Buffer): void {
    if (!this.#losesReply) return this.#down.push(bytes);
    this.#losesReply = false;
    // In order, so that the replies before it are not lost as well.
    this.#down.push(Buffer.alloc(0), () => this.#dropReply());
    return this.#down.end();
  }

  #dropReply(): void {
    this.counts.repliesDropped += 1;
    this.client.destroy();
  }

  #serverFailed(): void {
    this.#up.close();
    this.#down.close();
    this.client.resetAndDestroy();
  }
}
