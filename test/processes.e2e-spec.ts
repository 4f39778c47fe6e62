import { randomInt } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { checkHistory } from '@distributed-session/session-history/check-history.js';
import { describeViolations } from '@distributed-session/session-history/describe-violations.js';
import type { History } from '@distributed-session/session-history/history.js';
import { runWorkers } from '@distributed-session/session-history/run-workers.js';
import { PostgresServer } from '@distributed-session/test-servers/postgres/postgres-server.js';
import { RedisServer } from '@distributed-session/test-servers/redis/redis-server.js';

/** Part of the test title, so that `TEST_SEED` repeats a failed run. */
const SEED = Number(process.env['TEST_SEED'] ?? randomInt(2 ** 31));

const SERVERS = {
  redis: () => RedisServer.start(),
  postgres: () => PostgresServer.start(),
} as const;

describe('four processes that share the sessions of a few users', () => {
  test.each(['redis', 'postgres'] as const)(
    `observe a history without violations on %s, with the seed ${SEED}`,
    async (kind) => {
      let calls = 0;
      // In rounds, because a busy machine makes fewer calls in the same time.
      for (let seed = SEED; calls < 1_000; seed++) {
        const history = await recordHistory(kind, seed);
        expect({ seed, violations: describeViolations(checkHistory(history)) }).toEqual({ seed, violations: [] });
        calls += history.calls.length;
      }
      console.log(`${calls} calls of 4 processes on ${kind}, seed ${SEED}`);
    },
    120_000,
  );
});

async function recordHistory(kind: keyof typeof SERVERS, seed: number): Promise<History> {
  const server = await SERVERS[kind]();
  try {
    const storage = { [kind]: { url: server.url, deadlineMs: 5_000 } };
    return await runWorkers({ count: 4, durationMs: 4_000, storage, seed });
  } finally {
    await server.stop();
  }
}
