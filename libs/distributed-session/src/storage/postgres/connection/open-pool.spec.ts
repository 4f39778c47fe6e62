import { afterEach, describe, expect, it } from '@jest/globals';
import { Client, Pool, type PoolConfig } from 'pg';
import { type PostgresSessionStorageOptions, resolvePostgresOptions } from '../postgres-session-storage.options.js';
import { dangersOf, openPool } from './open-pool.js';

const pools: Pool[] = [];

function poolOf(options: PostgresSessionStorageOptions): Pool {
  const pool = openPool(resolvePostgresOptions(options)) as Pool;
  pools.push(pool);
  return pool;
}

/** What the connections of a pool would be opened with. */
function connectionOf(options: PostgresSessionStorageOptions) {
  const { host, port, user, password, database, ssl } = new Client(poolOf(options).options);
  return { host, port, user, password, database, ssl };
}

function ownPool(options: PoolConfig): Pool {
  const pool = new Pool(options);
  pools.push(pool);
  return pool;
}

/** The settings that are dangerous. */
const named = (pool: Pool) => dangersOf(pool).map((danger) => /^\w+/u.exec(danger)![0]);

afterEach(async () => {
  for (const pool of pools.splice(0)) await pool.end();
});

const password = async () => 'of today';

const SAFE = {
  connectionTimeoutMillis: 2_000,
  statement_timeout: 1_800,
  lock_timeout: 1_600,
  idle_in_transaction_session_timeout: 2_000,
  keepAlive: true,
} as const;

describe('openPool()', () => {
  it.each<[string, PostgresSessionStorageOptions]>([
    ['url', { url: 'postgres://localhost/sessions' }],
    ['options', { options: { host: 'localhost' } }],
  ])('makes a pool of %s with safe settings by the deadline, connected to nothing yet', (_name, server) => {
    const pool = poolOf({ ...server, deadlineMs: 2_000 });
    expect(pool.options).toMatchObject({ ...SAFE, max: 10, application_name: 'nestjs-distributed-session' });
    expect(pool.totalCount).toBe(0);
    expect(dangersOf(pool)).toEqual([]);
  });

  it('has the server give a statement up before its caller does, and a lock before that, however short the deadline', () => {
    for (const deadlineMs of [10, 11, 1_000, 600_000]) {
      const { options } = poolOf({ options: {}, deadlineMs });
      const [lock, statement] = [options.lock_timeout!, options.statement_timeout as number];
      expect([deadlineMs, 0 < lock && lock < statement && statement < deadlineMs]).toEqual([deadlineMs, true]);
      expect([lock, statement].every(Number.isSafeInteger)).toBe(true);
    }
  });

  it('takes address, user, database and TLS from the url, with any characters in them', () => {
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

  it('lets the options go over the url and over the defaults, and no more than that', () => {
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

  it('adds options to a url that says nothing of them', () => {
    expect(
      connectionOf({ url: 'postgres://db.example', options: { user: 'ann', password, database: 'sessions' } }),
    ).toMatchObject({ host: 'db.example', user: 'ann', password, database: 'sessions' });
  });

  it('refuses a url with parameters that pg cannot use, and repeats nothing of it', () => {
    const url = 'postgres://ann:CANARY@localhost?sslrootcert=/no/such/file';
    expect(() => poolOf({ url })).toThrow(
      expect.objectContaining({ code: 'ERR_OPTIONS', message: expect.stringContaining('ENOENT') }),
    );
    expect(() => poolOf({ url })).not.toThrow(/CANARY/u);
  });

  it('gives back the pool of the user', () => {
    const own = ownPool({});
    expect(poolOf({ pool: own })).toBe(own);
    pools.pop();
  });
});

describe('dangersOf()', () => {
  it('names what is dangerous in the defaults of pg, each with the way out', () => {
    expect(named(ownPool({}))).toEqual([
      'connectionTimeoutMillis',
      'statement_timeout',
      'lock_timeout',
      'idle_in_transaction_session_timeout',
      'keepAlive',
    ]);
    for (const danger of dangersOf(ownPool({}))) expect(danger).toMatch(/: .*\. Set it to \S+\.$/u);
  });

  it.each(Object.keys(SAFE))('names %s alone where it alone is off', (name) => {
    expect(named(ownPool({ ...SAFE, [name]: undefined }))).toEqual([name]);
    expect(named(ownPool({ ...SAFE, [name]: 0 }))).toEqual([name]);
  });

  it('names nothing of a pool with the safe settings, nor of one without settings, which leads to no server', () => {
    expect(named(ownPool(SAFE))).toEqual([]);
    expect(dangersOf({ options: {} } as Pool)).toHaveLength(5);
    expect(dangersOf({} as Pool)).toEqual([]);
  });
});
