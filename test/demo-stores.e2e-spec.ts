import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { BuiltProgram } from './support/built-program.js';
import { DOCUMENTED, play } from './support/demo-run.js';
import { PostgresServer } from '@distributed-session/test-servers/postgres/postgres-server.js';
import { RedisServer } from '@distributed-session/test-servers/redis/redis-server.js';

/** A transcript without the sentence about its setting. */
function withoutSetting(transcript: string): string {
  return transcript.replace(/\n.*/, '');
}

/** The stores that the demo can use: the variable that selects each, its use by the demo, and what the demo left behind. */
const STORES = {
  Redis: {
    variable: 'DEMO_REDIS_URL',
    start: async () => {
      const server = await RedisServer.start();
      const calls = async () => {
        const { evalsha = 0, eval: evaluated = 0 } = await server.commandCounts();
        return evalsha + evaluated;
      };
      return { server, calls, left: async () => server.describeKeys() };
    },
  },
  PostgreSQL: {
    variable: 'DEMO_POSTGRES_URL',
    start: async () => {
      const server = await PostgresServer.start();
      const calls = async () => {
        const [row] = await server.query<{ commits: string }>(
          'SELECT sum(xact_commit) AS commits FROM pg_stat_database',
        );
        return Number(row?.commits);
      };
      return { server, calls, left: async () => server.query(`SELECT FROM pg_namespace WHERE nspname LIKE 'demo%'`) };
    },
  },
} as const;

describe.each(['Redis', 'PostgreSQL'] as const)('the demo on %s', (name) => {
  const { variable } = STORES[name];
  let store: Awaited<ReturnType<(typeof STORES)[typeof name]['start']>>;

  beforeAll(async () => {
    store = await STORES[name].start();
  });

  afterAll(() => store.server.stop());

  test('runs the same scenario in one process and leaves nothing behind', async () => {
    const before = await store.calls();
    const { code, transcript, errors } = await play({ environment: { [variable]: store.server.url } });
    expect([code, errors]).toEqual([0, '']);
    expect(transcript.split('\n')[1]).toContain(`the ${name} of ${variable}`);
    expect(withoutSetting(`${transcript}\n`)).toBe(withoutSetting(DOCUMENTED));
    expect([(await store.calls()) - before > 20, await store.left()]).toEqual([true, []]);
  });

  test('runs the same scenario with --processes and leaves nothing behind', async () => {
    const env = { ...process.env, [variable]: store.server.url };
    const demo = new BuiltProgram('examples/demo.js', { args: ['--processes'], env });
    expect([await demo.exitCode(), demo.stderr]).toEqual([0, '']);
    expect(withoutSetting(demo.stdout)).toBe(withoutSetting(DOCUMENTED));
    expect(await store.left()).toEqual([]);
  }, 120_000);
});
