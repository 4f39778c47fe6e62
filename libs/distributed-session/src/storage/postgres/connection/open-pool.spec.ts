import { afterEach, describe, expect, it } from '@jest/globals';
import { Client, Pool, type PoolConfig } from 'pg';
import { type PostgresSessionStorageOptions, resolvePostgresOptions } from '../postgres-session-storage.options.js';
import { openPool, poolWarnings } from './open-pool.js';

const pools: Pool[] = [];

function poolOf(options: PostgresSessionStorageOptions): Pool {
  const pool = openPool(resolvePostgresOptions(options)) as Pool;
  pools.push(pool);
  return pool;
}

/** The settings of a pool's connections. */
function connectionOf(options: PostgresSessionStorageOptions) {
  const { host, port, user, password, database, ssl } = new Client(poolOf(options).options);
  return { host, port, user, password, database, ssl };
}

function ownPool(options: PoolConfig): Pool {
  const pool = new Pool(options);
  pools.push(pool);
  return pool;
}

/** The settings that a pool's warnings name. */
const named = (pool: Pool) => poolWarnings(pool).map((warning) => /^\w+/u.exec(warning)![0]);

afterEach(async () => {
  for (const pool of pools.splice(0)) await pool.end();
});

const password = async () => 'of today';

const SAFE = {
  connectionTimeoutMillis: 2_000,
  keepAlive: true,
} as const;

describe('openPool()', () => {
  it.each<[string, PostgresSessionStorageOptions]>([
    ['url', { url: 'postgres://localhost/sessions' }],
    ['options', { options: { host: 'localhost' } }],
  ])(
    'creates a pool from %s, with safe settings that follow the deadline, and without a connection',
    (_name, server) => {
      const pool = poolOf({ ...server, deadlineMs: 2_000 });
      expect(pool.options).toMatchObject({ ...SAFE, max: 10, application_name: 'nestjs-distributed-session' });
      expect(pool.totalCount).toBe(0);
      expect(poolWarnings(pool)).toEqual([]);
    },
  );

  it('sends no start-up parameter that a pooler rejects', () => {
    const url = 'postgres://localhost/sessions?statement_timeout=5000&lock_timeout=4000&pgbouncer=true&sslmode=disable';
    const { options } = poolOf({ url, feedUrl: 'postgres://localhost:5432' });
    expect(Object.keys(options).filter((name) => name.endsWith('timeout'))).toEqual([]);
    const client = new Client(options) as unknown as { getStartupConf(): object };
    expect(Object.keys(client.getStartupConf()).toSorted()).toEqual(['application_name', 'database', 'user']);
  });

  it('reads address, user, database and TLS from the url, with any characters in them', () => {
    const url = 'postgres://ann:p%40ss%2F%3A%25@db.example:6432/my%20sessions?sslmode=verify-full';
    expect(connectionOf({ url })).toEqual({
      host: 'db.example',
      port: 6_432,
      user: 'ann',
      password: 'p@ss/:%',
      database: 'my sessions',
      ssl: {},
    });
    expect(connectionOf({ url: 'postgres://db.example/a' }).ssl).toBe(false);
  });

  it('lets the options override the url and the defaults, one by one', () => {
    const url = 'postgres://ann:old@db.example:6432/sessions?application_name=orders&sslmode=verify-full';
    const ca = 'a certificate';
    const options = { host: undefined, password: 'new', port: 7, max: 3, ssl: { ca } };
    expect(connectionOf({ url, options })).toEqual({
      host: 'db.example',
      port: 7,
      user: 'ann',
      password: 'new',
      database: 'sessions',
      ssl: { ca },
    });
    const pool = poolOf({ url, options, deadlineMs: 2_000 });
    expect(pool.options).toMatchObject({ ...SAFE, max: 3, idleTimeoutMillis: 30_000, application_name: 'orders' });
    const other = poolOf({ url, options: { application_name: 'billing' } });
    expect(other.options).toMatchObject({ application_name: 'billing' });
  });

  it('adds options that the url does not set', () => {
    expect(
      connectionOf({ url: 'postgres://db.example', options: { user: 'ann', password, database: 'sessions' } }),
    ).toMatchObject({ host: 'db.example', user: 'ann', password, database: 'sessions' });
  });

  it('rejects a url whose parameters pg cannot use, without repeating it', () => {
    const url = 'postgres://ann:CANARY@localhost?sslrootcert=/no/such/file';
    expect(() => poolOf({ url })).toThrow(
      expect.objectContaining({ code: 'ERR_OPTIONS', message: expect.stringContaining('ENOENT') }),
    );
    expect(() => poolOf({ url })).not.toThrow(/CANARY/u);
  });

  it("returns the user's own pool", () => {
    const own = ownPool({});
    expect(poolOf({ pool: own })).toBe(own);
    pools.pop();
  });
});

describe('poolWarnings()', () => {
  it("names the unsafe settings among pg's defaults, each with the way out", () => {
    expect(named(ownPool({}))).toEqual(['connectionTimeoutMillis', 'keepAlive']);
    for (const warning of poolWarnings(ownPool({}))) expect(warning).toMatch(/: .*\. Set it to \S+\.$/u);
  });

  it.each(Object.keys(SAFE))('names only %s when it alone is off', (name) => {
    expect(named(ownPool({ ...SAFE, [name]: undefined }))).toEqual([name]);
    expect(named(ownPool({ ...SAFE, [name]: 0 }))).toEqual([name]);
  });

  it('names nothing for a pool with safe settings, or for a pool without settings, which connects to no server', () => {
    expect(named(ownPool(SAFE))).toEqual([]);
    expect(poolWarnings({ options: {} } as Pool)).toHaveLength(2);
    expect(poolWarnings({} as Pool)).toEqual([]);
  });
});
