import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { TcpProxyConnection, type TcpTarget } from './tcp-proxy-connection.js';
import { type TcpDirection, TcpFaults } from './tcp-proxy-faults.js';

/**
 * Stands between a client and a server, and passes on what they send until it is told to do worse. Every control acts
 * on the connections there are as on new ones, until `healthy()`. Bytes never change their order and none are
 * skipped: what a fault loses, it loses with the connection.
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

  /** The bytes that the server was sent. */
  get bytesUp(): number {
    return this.#counts.bytesUp;
  }

  /** The bytes that the clients were sent. */
  get bytesDown(): number {
    return this.#counts.bytesDown;
  }

  get repliesDropped(): number {
    return this.#counts.repliesDropped;
  }

  /** The bytes that have come and wait here, for the end of a black hole or of their latency. */
  get heldBytes(): number {
    return [...this.#connections].reduce((sum, { heldBytes }) => sum + heldBytes, 0);
  }

  /** Delays what comes from now on, each way, by so much and up to `jitterMs` more. What is on its way keeps its time. */
  latency({ ms, jitterMs = 0 }: { readonly ms: number; readonly jitterMs?: number }): void {
    this.#faults.latency = { ms, jitterMs };
  }

  /** Passes bytes on in pieces of a size between these two, both included. */
  slice(minBytes: number, maxBytes: number): void {
    this.#faults.slices = { minBytes, maxBytes };
  }

  /** Holds all bytes of a direction, and the ends of connections too: they stay open, and new ones open as ever. */
  blackHole(direction: TcpDirection | 'both' = 'both'): void {
    for (const each of direction === 'both' ? (['up', 'down'] as const) : [direction]) this.#faults.holes.add(each);
  }

  /** Ends a black hole and lets through what it has held, late as it is, also if its sender has gone. */
  release(): void {
    this.#faults.holes.clear();
    for (const connection of this.#connections) connection.pump();
  }

  /** Ends a black hole and drops what it has held, and with it the connections that lost something. */
  discard(): void {
    for (const connection of this.#connections) if (connection.heldBytes > 0) connection.destroy();
    this.release();
  }

  /** Leads new connections to another server, as an address does after a failover; those that are open stay. */
  turnTo({ host, port }: TcpTarget): void {
    this.target = { host, port };
  }

  /** Destroys all connections, once. */
  cut(): void {
    for (const connection of this.#connections) connection.destroy();
  }

  /** Resets new connections; those that are open stay. */
  refuse(): void {
    this.#faults.refusesConnections = true;
  }

  /**
   * Passes the next request on, and destroys its connection when the first byte of the reply comes: it is done, and
   * the client never learns. `matching` names a text that the request must have in it. The connection should wait for
   * no other reply at that time.
   */
  dropNextReply(matching = ''): void {
    this.#faults.lostReplyTo = matching;
  }

  /** Ends all faults; what a black hole has held is let through. */
  healthy(): void {
    this.latency({ ms: 0 });
    this.#faults.slices = undefined;
    this.#faults.refusesConnections = false;
    this.#faults.lostReplyTo = undefined;
    this.release();
  }

  /** Destroys all connections and takes no more. */
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
