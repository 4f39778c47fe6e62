import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { eventually } from '../src/eventually.js';
import { TcpProxy } from '../src/proxy/tcp-proxy.js';

let server: Server;
let proxy: TcpProxy;
/** Everything that the server received. */
let received: string;
/** The open connections of the server. */
let open: Set<Socket>;
const clients: Client[] = [];

/** A connection through the proxy, with everything that it received. */
class Client {
  readonly socket: Socket;
  readonly pieces: string[] = [];
  isClosed = false;
  fault: string | undefined;

  constructor() {
    this.socket = connect({ host: proxy.host, port: proxy.port, noDelay: true });
    this.socket.on('data', (bytes: Buffer) => this.pieces.push(bytes.toString('latin1')));
    this.socket.on('error', (error: NodeJS.ErrnoException) => (this.fault = error.code));
    this.socket.on('close', () => (this.isClosed = true));
    clients.push(this);
  }

  get answer(): string {
    return this.pieces.join('');
  }

  /** Sends a text and resolves once it has been echoed. */
  async echo(text: string): Promise<void> {
    const expected = this.answer + text;
    this.socket.write(text, 'latin1');
    await eventually(() => this.answer === expected);
  }
}

beforeEach(async () => {
  received = '';
  open = new Set();
  server = createServer((socket) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket));
    socket.on('error', () => undefined);
    socket.on('data', (bytes: Buffer) => {
      received += bytes.toString('latin1');
      socket.write(bytes);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  proxy = await TcpProxy.start({ host: '127.0.0.1', port: (server.address() as AddressInfo).port });
});

afterEach(async () => {
  for (const { socket } of clients.splice(0)) socket.destroy();
  await proxy.stop();
  server.close();
});

/** Long enough for a forbidden event to happen. */
async function aMoment(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 50));
}

describe('a healthy TcpProxy', () => {
  it('forwards all bytes in both directions and counts them', async () => {
    const [client, other] = [new Client(), new Client()];
    await client.echo('first');
    await other.echo('second');
    await client.echo('x'.repeat(3_000_000));
    expect(received.length).toBe(3_000_011);
    expect(proxy).toMatchObject({ connectionsOpened: 2, bytesUp: 3_000_011, bytesDown: 3_000_011, heldBytes: 0 });
  });

  it('ends one side when the other ends', async () => {
    const [client, other] = [new Client(), new Client()];
    await Promise.all([client.echo('a'), other.echo('b')]);
    client.socket.end();
    await eventually(() => client.isClosed && open.size === 1);
    for (const socket of open) socket.end();
    await eventually(() => other.isClosed);
    expect([client.fault, other.fault]).toEqual([undefined, undefined]);
  });

  it("resets a client's connection if there is no server", async () => {
    server.close();
    const client = new Client();
    await eventually(() => client.isClosed);
    expect(client.fault).toBe('ECONNRESET');
  });

  it('stops reading from a sender whose receiver does not read', async () => {
    const client = new Client();
    await client.echo('a');
    for (const socket of open) socket.pause();
    client.socket.write(Buffer.alloc(64 * 1024 * 1024));
    await eventually(() => proxy.heldBytes > 1024 * 1024);
    await aMoment();
    expect(proxy.heldBytes).toBeLessThan(3 * 1024 * 1024);
  });
});

describe('the faults of a TcpProxy', () => {
  it('delays bytes each way and keeps their order', async () => {
    const client = new Client();
    await client.echo('now');
    proxy.latency({ ms: 50 });
    const startedAt = performance.now();
    await client.echo(',later');
    // A timer may fire slightly early.
    expect(performance.now() - startedAt).toBeGreaterThan(98);
    proxy.latency({ ms: 10, jitterMs: 30 });
    const texts = Array.from({ length: 20 }, (_, index) => `<${index}>`);
    for (const text of texts) {
      client.socket.write(text);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await eventually(() => client.answer.length === `now,later${texts.join('')}`.length);
    expect(client.answer).toBe(`now,later${texts.join('')}`);
  });

  it('forwards bytes in small pieces', async () => {
    const client = new Client();
    proxy.slice(1, 7);
    const text = Array.from({ length: 100 }, (_, index) => `<${index}>`).join('');
    await client.echo(text);
    expect(client.pieces.length).toBeGreaterThan(20);
    expect(received).toBe(text);
  });

  it.each(['up', 'both'] as const)('holds requests in a black hole (%s) and replays them late', async (direction) => {
    const client = new Client();
    await client.echo('before,');
    proxy.blackHole(direction);
    client.socket.write('late');
    await eventually(() => proxy.heldBytes === 4);
    client.socket.destroy();
    await aMoment();
    expect([received, open.size]).toEqual(['before,', 1]);
    proxy.release();
    await eventually(() => received === 'before,late' && open.size === 0);
  });

  it('holds only replies in a downstream black hole', async () => {
    const client = new Client();
    proxy.blackHole('down');
    client.socket.write('asked');
    await eventually(() => received === 'asked' && proxy.heldBytes === 5);
    expect([client.answer, client.isClosed]).toEqual(['', false]);
    proxy.healthy();
    await eventually(() => client.answer === 'asked');
  });

  it('drops the bytes that a black hole has held, together with their connections', async () => {
    const [client, idle] = [new Client(), new Client()];
    await Promise.all([client.echo('a'), idle.echo('b')]);
    proxy.blackHole();
    client.socket.write('lost');
    await eventually(() => proxy.heldBytes === 4);
    proxy.discard();
    await eventually(() => client.isClosed && open.size === 1);
    await idle.echo('c');
    expect(received).not.toContain('lost');
  });

  it('accepts new connections during a black hole', async () => {
    proxy.blackHole();
    const client = new Client();
    client.socket.write('a');
    await eventually(() => proxy.heldBytes === 1 && open.size === 1);
    expect(client.socket.readyState).toBe('open');
  });

  it('cuts all connections and accepts new ones', async () => {
    const [client, other] = [new Client(), new Client()];
    await Promise.all([client.echo('a'), other.echo('b')]);
    proxy.cut();
    await eventually(() => client.isClosed && other.isClosed && open.size === 0);
    await new Client().echo('c');
    expect(proxy.connectionsOpened).toBe(3);
  });

  it('redirects new connections to another server and keeps open ones', async () => {
    const [client, other] = [new Client(), createServer((socket) => socket.end('another'))];
    await client.echo('a');
    other.listen(0, '127.0.0.1');
    await once(other, 'listening');
    proxy.turnTo({ host: '127.0.0.1', port: (other.address() as AddressInfo).port });
    await client.echo('b');
    const late = new Client();
    await eventually(() => late.isClosed);
    expect(late.answer).toBe('another');
    other.close();
  });

  it('resets new connections while it refuses them and keeps open ones', async () => {
    const client = new Client();
    await client.echo('a');
    proxy.refuse();
    const refused = new Client();
    await eventually(() => refused.isClosed);
    expect(refused.fault).toBe('ECONNRESET');
    await client.echo('b');
    proxy.healthy();
    await new Client().echo('c');
    expect(proxy.connectionsOpened).toBe(2);
  });

  it('drops the reply to the next request, once', async () => {
    const [client, other] = [new Client(), new Client()];
    await Promise.all([client.echo('a'), other.echo('b')]);
    proxy.dropNextReply();
    client.socket.write('done');
    await eventually(() => client.isClosed && open.size === 1);
    expect(received).toContain('done');
    expect(client.answer).toBe('a');
    await other.echo('c');
    expect(proxy.repliesDropped).toBe(1);
  });

  it('drops the reply to the request that contains a text', async () => {
    const [client, other] = [new Client(), new Client()];
    proxy.dropNextReply('victim');
    await other.echo('bystander');
    client.socket.write('the victim');
    await eventually(() => client.isClosed);
    expect([received.includes('the victim'), client.answer]).toEqual([true, '']);
    await other.echo('again');
  });
});
