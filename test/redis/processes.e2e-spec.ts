import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { checkHistory } from '../support/history/check-history.js';
import { describeViolations } from '../support/history/describe-violations.js';
import { runWorkers } from '../support/history/run-workers.js';
import { RedisServer } from '../support/redis/redis-server.js';

/** Another one each day the tests run, and named when it fails, so that a failure can be repeated. */
const SEED = Math.floor(Date.now() / 86_400_000);

describe('eight processes that share the sessions of few users', () => {
  let server: RedisServer;

  beforeEach(async () => {
    server = await RedisServer.start();
  });

  afterEach(() => server.stop());

  test('I1 I2 I3 I4 I5 I6 I11 I12 hold in all that they did and heard in 10 seconds', async () => {
    const history = await runWorkers({
      count: 8,
      durationMs: 10_000,
      storage: { redis: { url: server.url, deadlineMs: 5_000 } },
      seed: SEED,
    });
    console.log(`${history.calls.length} calls of 8 processes, seed ${SEED}`);
    expect(history.calls.length).toBeGreaterThan(1_000);
    expect({ seed: SEED, violations: describeViolations(checkHistory(history)) }).toEqual({
      seed: SEED,
      violations: [],
    });
  }, 120_000);
});
