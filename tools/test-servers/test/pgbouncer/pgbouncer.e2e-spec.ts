import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import { Pgbouncer, type PgbouncerOptions } from '../../src/pgbouncer/pgbouncer.js';
import { PostgresServer } from '../../src/postgres/postgres-server.js';

let server: PostgresServer;
const cleanUps: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  server = await PostgresServer.start();
});

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp();
});

afterAll(async () => {
  await server.stop();
});

async function startPooler(options?: PgbouncerOptions): Promise<Pgbouncer> {
  const pooler = await Pgbouncer.start(server, options);
  cleanUps.push(async () => pooler.stop());
  return pooler;
}

async function connectThrough(pooler: Pgbouncer): Promise<Client> {
  const client = new Client(pooler.urlOf(server.url));
  client.on('error', () => undefined);
  await client.connect();
  cleanUps.push(async () => client.end());
  return client;
}

async function pidOf(client: Client): Promise<number> {
  const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  return rows[0]!.pid;
}

describe('Pgbouncer', () => {
  it('gives each client a server connection of its own by default', async () => {
    const pooler = await startPooler();
    const [one, other] = [await connectThrough(pooler), await connectThrough(pooler)];
    expect(await pidOf(one)).not.toBe(await pidOf(other));
  });

  it('lets clients share server connections in transaction mode', async () => {
    const pooler = await startPooler({ settings: { pool_mode: 'transaction', default_pool_size: 1 } });
    const [one, other] = [await connectThrough(pooler), await connectThrough(pooler)];
    expect(await pidOf(one)).toBe(await pidOf(other));
    expect(await pooler.command('SHOW POOLS')).toContainEqual(expect.objectContaining({ database: 'postgres' }));
  });

  it('accepts clients again after a restart on the same port, and runs commands', async () => {
    const pooler = await startPooler();
    const client = await connectThrough(pooler);
    await pooler.restart();
    await expect(pidOf(client)).rejects.toThrow(/terminated|not queryable/u);
    expect(await pidOf(await connectThrough(pooler))).toBeGreaterThan(0);
  });

  it("rejects with the pooler's log if it ends during its start", async () => {
    await expect(startPooler({ settings: { pool_mode: 'nonsense' } })).rejects.toThrow('pgbouncer ended');
  });
});
