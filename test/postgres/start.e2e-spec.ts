import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { PostgresSessionStorage, type PostgresSessionStorageOptions } from 'nestjs-distributed-session/postgres';
import { Pool } from 'pg';
import { CapturedOutput } from '../support/captured-output.js';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import { freePort } from '@distributed-session/test-servers/free-port.js';
import { PostgresServer } from '@distributed-session/test-servers/postgres/postgres-server.js';
import { PostgresStandby } from '@distributed-session/test-servers/postgres/postgres-standby.js';
import { created } from '../support/storage/storage-calls.js';

/** A secret that must not appear in a message, a log or an error. */
const CANARY = 'canary-password';
const APPLICATION = 'tests-of-the-start';
const LEDGER = 'distributed_session_migration';

let server: PostgresServer;

beforeAll(async () => {
  server = await PostgresServer.start();
  await server.query(`CREATE ROLE stranger LOGIN PASSWORD '${CANARY}'`);
});

afterAll(async () => {
  await server.stop();
});

interface FailedStart {
  readonly code: string;
  readonly message: string;
  /** Everything that was printed: logs, messages, and the error in full. */
  readonly printed: string;
}

/** Starts a storage, which must fail and leave no connection open. */
async function failedStart(options: PostgresSessionStorageOptions): Promise<FailedStart> {
  const output = new CapturedOutput();
  const named = options.pool ? {} : { options: { application_name: APPLICATION, ...options.options } };
  const storage = new PostgresSessionStorage({ connectDeadlineMs: 60_000, ...options, ...named });
  const error = await storage.connect().then(
    () => new Error('It started.'),
    (thrown: Error & { code?: string }) => thrown,
  );
  output.release();
  await expectNoConnections();
  const printed = [output.text, error.stack, inspect(error, { depth: 9, showHidden: true })].join('\n');
  return { code: (error as { code?: string }).code ?? '', message: error.message, printed };
}

/** Resolves once no storage of these tests is connected. */
async function expectNoConnections(): Promise<void> {
  await eventually(async () => (await connections()) === 0);
}

async function connections(): Promise<number> {
  const text = 'SELECT count(*)::integer AS count FROM pg_stat_activity WHERE application_name LIKE $1';
  const [row] = await server.query<{ count: number }>(text, [`${APPLICATION}%`]);
  return row!.count;
}

function urlFor(change: (url: URL) => void, base = server.url): string {
  const url = new URL(base);
  change(url);
  return url.href;
}

/** The user without any rights. */
function strangerAt(base: string): string {
  return urlFor((url) => {
    [url.username, url.password] = ['stranger', CANARY];
  }, base);
}

/** A new database that has the tables. */
async function migrated(): Promise<{ url: string; database: string }> {
  const url = await server.createDatabase();
  const storage = new PostgresSessionStorage({ url });
  await storage.connect();
  await storage.close();
  return { url, database: new URL(url).pathname.slice(1) };
}

async function inEncoding(encoding: string): Promise<string> {
  await server.query(`CREATE DATABASE "in_${encoding}" ENCODING '${encoding}' TEMPLATE template0`);
  return urlFor((url) => (url.pathname = `in_${encoding}`));
}

describe('PostgresSessionStorage.connect() fails without waiting, names the way out and prints no password, given', () => {
  const rejected: [string, RegExp, () => Promise<PostgresSessionStorageOptions>][] = [
    [
      'a wrong password',
      /rejected the connection:.*the user or the password is wrong: correct it in the url or the options/su,
      async () => ({ url: urlFor((url) => (url.password = CANARY)) }),
    ],
    [
      'an unknown user',
      /rejected the connection:.*the user or the password is wrong: correct it in the url or the options/su,
      async () => ({ url: urlFor((url) => ([url.username, url.password] = ['nobody', CANARY])) }),
    ],
    [
      'an unknown database',
      /rejected the connection:.*does not have this database: create it, or set another one/su,
      async () => ({ url: urlFor((url) => (url.pathname = '/no-such-database')) }),
    ],
    [
      'TLS for a server that does not support it',
      /rejected the connection:.*does not support TLS: set its ssl to on, or remove ssl and sslmode here/su,
      async () => ({ url: `${server.url}?sslmode=verify-full` }),
    ],
    ['a database in LATIN1', /encoding is LATIN1.*UTF8/u, async () => ({ url: await inEncoding('LATIN1') })],
    ['a database in SQL_ASCII', /encoding is SQL_ASCII.*UTF8/u, async () => ({ url: await inEncoding('SQL_ASCII') })],
    [
      'a user who may not create the tables',
      /lacks a privilege.*let the owner of the schema run the migrations/u,
      async () => ({ url: strangerAt(await server.createDatabase()) }),
    ],
    [
      'a user who may not create the schema',
      /lacks a privilege/u,
      async () => ({ url: strangerAt(await server.createDatabase()), schema: 'sessions' }),
    ],
    [
      'a user who may not read the tables',
      /lacks a privilege: see docs\/postgres-grants/u,
      async () => ({ url: strangerAt((await migrated()).url), migrate: 'check' }),
    ],
    [
      'a user who may read the ledgers, and nothing else',
      /lacks a privilege: see docs\/postgres-grants/u,
      async () => {
        const { url, database } = await migrated();
        await server.use(
          async (client) => client.query(`GRANT SELECT ON ${LEDGER}, distributed_session_function TO stranger`),
          database,
        );
        return { url: strangerAt(url) };
      },
    ],
    [
      "missing tables and migrate: 'check'",
      /version 0, and version \d+ is required: run the output of postgresMigrationSql\(.*\), or set migrate to 'auto'/u,
      async () => ({ url: strangerAt(await server.createDatabase()), migrate: 'check' }),
    ],
    [
      'tables of a later release',
      /version 99, of a later release.*install that release, or restore a backup/u,
      async () => {
        const { url, database } = await migrated();
        const text = `INSERT INTO ${LEDGER} (version, name) VALUES (99, 'later')`;
        await server.use(async (client) => client.query(text), database);
        return { url };
      },
    ],
  ];

  test.each(rejected)('%s', async (_name, expected, optionsOf) => {
    const { code, message, printed } = await failedStart(await optionsOf());
    expect({ code, message }).toEqual({ code: 'ERR_OPTIONS', message: expect.stringMatching(expected) });
    expect(printed).not.toContain(CANARY);
    expect(printed).not.toContain(server.password);
  });

  test('the address of a standby', async () => {
    const standby = await PostgresStandby.start(server);
    try {
      const { code, message } = await failedStart({ url: standby.server.url });
      expect({ code, message }).toMatchObject({
        code: 'ERR_OPTIONS',
        message: expect.stringContaining('set the address of the primary'),
      });
    } finally {
      await standby.server.stop();
    }
  });

  test('a pool of one connection, which the change feed occupies', async () => {
    const pool = new Pool({ connectionString: server.url, max: 1, application_name: APPLICATION });
    const { code, message } = await failedStart({ pool });
    expect({ code, message }).toMatchObject({
      code: 'ERR_OPTIONS',
      message: expect.stringContaining('set its max to 2'),
    });
    expect(pool.eventNames()).toEqual([]);
    await pool.end();
  });

  test("a user's own pool without a database, which it leaves unchanged", async () => {
    const pool = new Pool({ connectionString: urlFor((url) => (url.pathname = '/no-such-database')) });
    expect(await failedStart({ pool })).toMatchObject({ code: 'ERR_OPTIONS' });
    expect([pool.eventNames(), pool.totalCount]).toEqual([[], 0]);
    await pool.end();
  });
});

describe('PostgresSessionStorage.connect()', () => {
  test.each<[string, RegExp, () => Promise<Partial<URL>>]>([
    ['a wrong port', /cannot be reached \(ECONNREFUSED\)/u, async () => ({ port: String(await freePort()) })],
    [
      'a wrong host',
      /cannot be reached \((ENOTFOUND|EAI_AGAIN)\)/u,
      async () => ({ hostname: 'no-such-host.invalid' }),
    ],
  ])('gives up at its deadline and names what to check, given %s', async (_name, expected, change) => {
    const address = { ...(await change()), password: CANARY };
    const url = urlFor((given) => Object.assign(given, address));
    const { code, message, printed } = await failedStart({ url, connectDeadlineMs: 1_000 });
    expect({ code, message }).toEqual({
      code: 'ERR_STORAGE_UNAVAILABLE',
      message: expect.stringMatching(expected),
    });
    expect(message).toContain('Check the address, and that the server is running.');
    expect(printed).not.toContain(CANARY);
  });

  test('waits for a server that starts later', async () => {
    const port = await freePort();
    const url = urlFor((at) => (at.port = String(port)));
    const storage = new PostgresSessionStorage({ url, connectDeadlineMs: 30_000 });
    const connecting = storage.connect();
    const late = await PostgresServer.start({ port });
    try {
      await connecting;
      expect(await created(storage, 'ada')).toMatchObject({ version: 1 });
    } finally {
      await storage.close();
      await late.stop();
    }
  });
});
