import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { PostgresSessionStorage } from 'nestjs-distributed-session/postgres';
import { fillSessions } from '../support/postgres/many-sessions.js';
import { PostgresServer } from '@distributed-session/test-servers/postgres/postgres-server.js';
import { READS, RETENTION_MS, WRITES, created, creation } from '../support/storage/storage-calls.js';

const ROWS = 100_000;
/** After five uses of a statement, the server may choose a generic plan. */
const USES = 7;
const SETTINGS = {
  session_preload_libraries: 'auto_explain',
  'auto_explain.log_min_duration': 0,
  'auto_explain.log_nested_statements': 'on',
  'auto_explain.log_analyze': 'on',
  'auto_explain.log_timing': 'off',
};
/** The most rows that a plan node may read, for any size of the table. A page of users reads the most. */
const MAX_ROWS_READ = 300;

let server: PostgresServer;
let storage: PostgresSessionStorage;

beforeAll(async () => {
  server = await PostgresServer.start({ settings: SETTINGS });
  // One connection, so that each statement is used repeatedly on the same one.
  storage = new PostgresSessionStorage({ url: server.url, options: { max: 1 }, deadlineMs: 60_000 });
  await storage.connect();
  await fillSessions(server.url, ROWS, { due: 2_000 });
}, 120_000);

afterAll(async () => {
  await storage.close();
  await server.stop();
});

/** The plans of all queries of an operation, including those within functions. */
async function plansOf(operation: () => Promise<unknown>): Promise<string[]> {
  const before = (await server.readLog()).length;
  for (let use = 0; use < USES; use++) await operation();
  const log = (await server.readLog()).slice(before);
  return log
    .split(/^(?=\S)/mu)
    .filter((message) => message.includes('plan:\n') && /distributed_session\b/.test(message));
}

/** The most rows that a node of a plan has returned or filtered out. */
function rowsRead(plan: string): number {
  const counts = [...plan.matchAll(/actual rows=(\d+)|Rows Removed by [\w ]+: (\d+)/g)];
  return Math.max(...counts.map(([, returned, removed]) => Number(returned ?? removed)));
}

/** A due session that the sweeps of this test do not reach: the 1,805th row. */
const DUE_ID = '7ffd85d9-3a3e-4de5-c490-d304ccd9f864';

const sweep = { limit: 10, historyRetentionMs: RETENTION_MS };
const OPERATIONS: Record<string, () => Promise<unknown>> = {
  ...Object.fromEntries(
    Object.entries({ ...WRITES, ...READS })
      .filter(([name]) => name !== 'count')
      .map(([name, call]) => [name, async () => call(storage, await created(storage, 'login-7'))]),
  ),
  'create that makes room': async () => {
    const limits = { perLogin: 2, perDevice: 1, onLimit: 'end-oldest' } as const;
    return storage.create({ ...creation(storage, 'login-9'), device: 'web', limits });
  },
  'create that ends the least recently used': async () => {
    const limits = { perLogin: 2, perDevice: 1, onLimit: 'end-idlest' } as const;
    return storage.create({ ...creation(storage, 'login-10'), device: 'web', limits });
  },
  'get of a due session': async () => storage.get(DUE_ID),
  'listByLogin with due sessions': async () => storage.listByLogin('login-451'),
  'listHistory with due sessions': async () => storage.listHistory('login-451'),
  sweep: async () => storage.sweep(sweep),
};

describe(`with ${ROWS} rows, PostgreSQL`, () => {
  test.each(Object.entries(OPERATIONS))('uses an index for %s', async (_name, operation) => {
    const plans = await plansOf(operation);
    expect(plans.length).toBeGreaterThanOrEqual(USES);
    expect(plans.filter((plan) => /(Index|Index Only|Bitmap Index) Scan (using|on) /.test(plan))).not.toEqual([]);
    expect(plans.filter((plan) => /Seq Scan on distributed_session\b/.test(plan))).toEqual([]);
    expect(plans.filter((plan) => rowsRead(plan) > MAX_ROWS_READ)).toEqual([]);
  });
});
