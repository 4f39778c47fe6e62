import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import { checkHistory } from '@distributed-session/session-history/check-history.js';
import { describeViolations } from '@distributed-session/session-history/describe-violations.js';
import { RedisCluster } from '@distributed-session/test-servers/redis/redis-cluster.js';
import { runGroup } from '../support/storage/run-group.js';
import { RedisStorageGroup } from '../support/redis/redis-storage-group.js';

const DURATION_MS = 4_000;
/** Enough to be meaningful on a busy machine. */
const LEAST_CALLS = 1_000;

let cluster: RedisCluster;
let group: RedisStorageGroup;

beforeAll(async () => {
  cluster = await RedisCluster.start();
  // A sweep asks 256 shards: on a busy machine, the default deadline is too short for a run without an error.
  group = await RedisStorageGroup.open(4, { cluster: { nodes: cluster.startupNodes }, deadlineMs: 10_000 });
});

afterAll(async () => {
  await group.close();
  await cluster.stop();
});

describe('RedisSessionStorage on a healthy cluster', () => {
  test('keeps every guarantee for several clients, and no call fails', async () => {
    const history = await runGroup({
      storages: group.storages,
      seed: 3,
      meanwhile: async (countCalls) => {
        const startedAt = performance.now();
        await eventually(() => performance.now() > startedAt + DURATION_MS && countCalls() > LEAST_CALLS);
        return group.storages[0]!;
      },
    });
    expect(describeViolations(checkHistory(history))).toEqual([]);
    expect(history.calls.filter(({ error }) => error !== undefined)).toEqual([]);
    expect(history.feeds.map(({ hasGap }) => hasGap)).toEqual([false, false, false, false]);
  });
});
