import { describe, expect, test } from '@jest/globals';
import { checkHistory } from '@distributed-session/session-history/check-history.js';
import { describeViolations } from '@distributed-session/session-history/describe-violations.js';
import { runWorkers } from '@distributed-session/session-history/run-workers.js';
import { PostgresServer } from '@distributed-session/test-servers/postgres/postgres-server.js';
import { RedisServer } from '@distributed-session/test-servers/redis/redis-server.js';

/** Another one each day the tests run, and named when it fails, so that a failure can be repeated. */
const SEED = Math.floor(Date.now() / 86_400_000);

const SERVERS = {
  redis: { start: async () => RedisServer.start(), durationMs: 10_000 },
  postgres: { start: async () => PostgresServer.start(), durationMs: 6_000 },
} as const;

describe('eight processes that share the sessions of few users', () => {
  test.each(['redis', 'postgres'] as const)(
    'hold in all that they did and heard, on %s',
    async (kind) => {
      const { start, durationMs } = SERVERS[kind];
      const server = await start();
      try {
        const storage = { [kind]: { url: server.url, deadlineMs: 5_000 } };
        const history = await runWorkers({ count: 8, durationMs, storage, seed: SEED });
        console.log(`${history.calls.length} calls of 8 processes on ${kind}, seed ${SEED}`);
        expect(history.calls.length).toBeGreaterThan(1_000);
        expect({ seed: SEED, violations: describeViolations(checkHistory(history)) }).toEqual({
          seed: SEED,
          violations: [],
        });
      } finally {
        await server.stop();
      }
    },
    120_000,
  );
});
