import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { BuiltProgram } from './support/built-program.js';
import { DOCUMENTED, play } from './support/demo-run.js';
import { RedisServer } from './support/redis/redis-server.js';

/** A transcript without the sentence on where it takes place. */
function withoutSetting(transcript: string): string {
  return transcript.replace(/\n.*/, '');
}

describe('the demo on Redis', () => {
  let redis: RedisServer;

  beforeAll(async () => {
    redis = await RedisServer.start();
  });

  afterAll(() => redis.stop());

  test('tells the same story in one process, and leaves no key behind', async () => {
    const { code, transcript, complaints } = await play({ environment: { DEMO_REDIS_URL: redis.url } });
    expect([code, complaints]).toEqual([0, '']);
    expect(transcript.split('\n')[1]).toContain('the Redis of DEMO_REDIS_URL');
    expect(withoutSetting(`${transcript}\n`)).toBe(withoutSetting(DOCUMENTED));
    const { evalsha = 0, eval: evaluated = 0 } = await redis.commandCounts();
    expect([evalsha + evaluated > 20, await redis.describeKeys()]).toEqual([true, []]);
  });

  test('tells the same story with --processes, and leaves no key behind', async () => {
    const env = { ...process.env, DEMO_REDIS_URL: redis.url };
    const demo = new BuiltProgram('examples/demo.js', { args: ['--processes'], env });
    expect([await demo.exitCode(), demo.stderr]).toEqual([0, '']);
    expect(withoutSetting(demo.stdout)).toBe(withoutSetting(DOCUMENTED));
    expect(await redis.describeKeys()).toEqual([]);
  }, 120_000);
});
