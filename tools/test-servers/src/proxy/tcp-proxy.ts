import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { TcpProxyConnection, type TcpTarget } from './tcp-proxy-connection.js';
import { type TcpDirection, TcpFaults } from './tcp-proxy-faults.js';

/**
 * A TCP proxy between a client and a server that forwards bytes and injects faults on demand. Every fault applies to
 * existing and new connections until `healthy()`. Bytes are never reordered or skipped: what a fault loses, it loses
 * together with the connection.
 */
export class TcpProxy {
  readonly host = '127.0.0.1';
  readonly #server: Server;
  readonly #connections = new Set<TcpProxyConnection>();
  readonly #faults = new TcpFaults();
  readonly #counts = { connectionsOpened: 0, bytesUp: 0, bytesDown: 0, repliesDropped: 0 };

  private constructor(private target: TcpTarget) {
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => this.#accept(client));
  }

  static async start(target: TcpTarget): Promise<TcpProxy> {
    const proxy = new TcpProxy(target);
    proxy.#server.listen(0, proxy.host);
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get connectionsOpened(): number {
    return this.#counts.connectionsOpened;
  }

  get connectionsOpen(): number {
    return this.#connections.size;
  }

  /** The bytes sent to the server. */
  get bytesUp(): number {
    return this.#counts.bytesUp;
  }

  /** The bytes sent to the clients. */
  get bytesDown(): number {
    return this.#counts.bytesDown;
  }

  get repliesDropped(): number {
    return this.#counts.repliesDropped;
  }

  /** The bytes that wait for the end of a black hole or of their latency. */
  get heldBytes(): number {
    return [...this.#connections].reduce((sum, { heldBytes }) => sum + heldBytes, 0);
  }

  /** Delays bytes that arrive from now on, each way, by this much and up to `jitterMs` more. Earlier bytes keep their delay. */
  latency({ ms, jitterMs = 0 }: { readonly ms: number; readonly jitterMs?: number }): void {
    this.#faults.latency = { ms, jitterMs };
  }

  /** Forwards bytes in pieces within these sizes, both included. */
  slice(minBytes: number, maxBytes: number): void {
    this.#faults.slices = { minBytes, maxBytes };
  }

  /** Holds all bytes of a direction, and the ends of connections. Connections stay open, and new ones can be opened. */
  blackHole(direction: TcpDirection | 'both' = 'both'): void {
    for (const each of direction === 'both' ? (['up', 'down'] as const) : [direction]) this.#faults.holes.add(each);
  }

  /** Ends a black hole and forwards the held bytes, even if their sender has disconnected. */
  release(): void {
    this.#faults.holes.clear();
    for (const connection of this.#connections) connection.pump();
  }

  /** Ends a black hole and drops the held bytes together with their connections. */
  discard(): void {
    for (const connection of this.#connections) if (connection.heldBytes > 0) connection.destroy();
    this.release();
  }

  /** Connects new connections to another server, as after a failover; open connections stay. */
  turnTo({ host, port }: TcpTarget): void {
    this.target = { host, port };
  }

  /** Destroys all current connections. */
  cut(): void {
    for (const connection of this.#connections) connection.destroy();
  }

  /** Resets new connections; open connections stay. */
  refuse(): void {
    this.#faults.refusesConnections = true;
  }

  /**
   * Forwards the next request and destroys its connection when the first byte of the reply arrives: the request is
   * executed, but its reply is lost. `matching` is a text that the request must contain. The connection should not wait
   * for another reply at that time.
   */
  dropNextReply(matching = ''): void {
    this.#faults.lostReplyTo = matching;
  }

  /** Ends all faults and forwards the bytes that a black hole has held. */
  healthy(): void {
    this.latency({ ms: 0 });
    this.#faults.slices = undefined;
    this.#faults.refusesConnections = false;
    this.#faults.lostReplyTo = undefined;
    this.release();
  }

  /** Destroys all connections and accepts no more. */
  async stop(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.cut();
    await closed;
  }

  #accept(client: Socket): void {
    if (this.#faults.refusesConnections) return void client.resetAndDestroy();
    this.#counts.connectionsOpened += 1;
    const connection = new TcpProxyConnection(client, this.target, this.#faults, this.#counts);
    this.#connections.add(connection);
    void connection.closed().then(() => this.#connections.delete(connection));
  }
}
