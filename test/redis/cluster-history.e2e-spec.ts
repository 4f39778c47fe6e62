import { describe, expect, test } from '@jest/globals';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import { checkHistory } from '@distributed-session/session-history/check-history.js';
import { describeViolations } from '@distributed-session/session-history/describe-violations.js';
import { runGroup } from '../support/storage/run-group.js';
import { useCluster } from '../support/redis/use-cluster.js';

const DURATION_MS = 4_000;
/** Enough to be meaningful on a busy machine. */
const LEAST_CALLS = 1_000;

// A sweep asks 256 shards: on a busy machine, the default deadline is too short for a run without an error.
const context = useCluster({ storages: 4, options: { deadlineMs: 10_000 } });

describe('RedisSessionStorage on a healthy cluster', () => {
  test('keeps every guarantee for several clients, and no call fails', async () => {
    const { group } = context;
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
