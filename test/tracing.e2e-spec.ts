import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { PostgresServer } from '@distributed-session/test-servers/postgres/postgres-server.js';
import { RedisServer } from '@distributed-session/test-servers/redis/redis-server.js';
import { ROOT } from './support/packed-library.js';
import { outputOf } from './support/run-program.js';
import type { TracedOperations } from './support/tracing/traced-program.js';

const TYPESCRIPT = ['--import', './tools/run-typescript/register.js', '--conditions=@distributed-session/source'];
/** Part of every value that belongs to a user, and of nothing else. */
const CANARY = 'cAnArY';
/** A step's name, the number of its keys, the keys, and a placeholder for each argument. */
const STEP = /^eval(?:sha)?(?:_ro)? [a-z-]+ \d+(?: \{ds\S+| ds:changes)+(?: \?)*$/;

let redis: RedisServer;
let postgres: PostgresServer;

beforeAll(async () => {
  [redis, postgres] = await Promise.all([RedisServer.start(), PostgresServer.start()]);
});

afterAll(async () => {
  await Promise.all([redis.stop(), postgres.stop()]);
});

/** Runs the operations in a process of their own, because the instrumentation patches the clients for good. */
async function trace(kind: 'redis' | 'postgres', url: string): Promise<TracedOperations> {
  const args = [...TYPESCRIPT, 'test/support/tracing/traced-program.ts', kind, url, CANARY];
  const lines = (await outputOf(process.execPath, args, ROOT)).split('\n');
  return JSON.parse(lines.at(-1)!) as TracedOperations;
}

/** Throws if it contains a user's value, as text or among packed bytes. */
function expectNoValues(traced: object): void {
  const text = JSON.stringify(traced);
  expect(text).not.toContain(CANARY);
  expect(text).toMatch(/^[ -~]+$/);
  expect(text).not.toMatch(/\\u00/);
}

describe('OpenTelemetry with its defaults', () => {
  test('shows the script and the keys of each step on Redis, and no value of a user', async () => {
    const { spans, published } = await trace('redis', redis.url);
    const statements = spans.map(({ attributes }) => String(attributes['db.query.text']));
    const steps = statements.filter((statement) => statement.startsWith('eval'));
    expect(steps.filter((step) => !STEP.test(step))).toEqual([]);
    for (const name of ['create-session', 'replace-session', 'rotate-session', 'end-session', 'put-service']) {
      expect(steps).toContainEqual(expect.stringContaining(` ${name} `));
    }
    expect(published.length).toBeGreaterThanOrEqual(steps.length);
    expectNoValues({ spans, published });
  });

  test('shows the SQL of each step on PostgreSQL, and no value of a user', async () => {
    const { spans } = await trace('postgres', postgres.url);
    const statements = spans.map(({ attributes }) => String(attributes['db.query.text'] ?? attributes['db.statement']));
    expect(statements).toContainEqual(expect.stringContaining('create_session'));
    expectNoValues(spans);
  });

  test('shows the SQL of each step behind a pooler, and no value of a user', async () => {
    const { spans } = await trace('postgres', `${await postgres.createDatabase()}?pgbouncer=true`);
    const statements = spans.map(({ attributes }) => String(attributes['db.query.text'] ?? attributes['db.statement']));
    for (const name of ['create_session', 'replace_session', 'rotate_session', 'end_session', 'put_service']) {
      expect(statements).toContainEqual(expect.stringContaining(name));
    }
    expectNoValues(spans);
  });
});
