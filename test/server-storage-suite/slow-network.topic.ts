import { describe, expect, test } from '@jest/globals';
import type { SessionStorage } from 'nestjs-distributed-session';
import { checkHistory } from '@distributed-session/session-history/check-history.js';
import { describeViolations } from '@distributed-session/session-history/describe-violations.js';
import { runClients } from '@distributed-session/session-history/run-clients.js';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import { paced } from '../support/storage/paced-storage.js';
import { recoveryMs } from '../support/storage/recovery-time.js';
import { settle } from '../support/storage/settled-call.js';
import { slackMs } from '../support/storage/slack.js';
import { created, WRITES } from '../support/storage/storage-calls.js';
import type { ServerStorageContext } from './server-storage-target.js';

const DEADLINE_MS = 1_000;

export function describeSlowNetwork(context: ServerStorageContext): void {
  // The final state counts all sessions, so that each load has its own data.
  describe('when the network keeps cutting the connections', () => {
    const pair = context.usePair({ deadlineMs: DEADLINE_MS, heartbeatIntervalMs: 200 });

    test('every promise about sessions holds, and calls settle by their deadline', async () => {
      const opened = pair.proxy.connectionsOpened;
      const outcomes = await outcomesUnderLoad(pair, { seed: 1, durationMs: 3_000 }, async () => {
        await pause(100);
        pair.proxy.cut();
      });
      // Whether a reply is in flight when a connection is cut is chance; the lost replies cover that case.
      expect(outcomes).toEqual(expect.arrayContaining(context.target.failsFast ? ['ok', 'not-applied'] : ['ok']));
      expect(pair.proxy.connectionsOpened - opened).toBeGreaterThan(5);
    });
  });

  describe('when the network becomes ever slower', () => {
    const pair = context.usePair({ deadlineMs: DEADLINE_MS, heartbeatIntervalMs: 200 });

    test('every promise about sessions holds, calls settle by their deadline, and the storage recovers', async () => {
      const outcomes = await outcomesUnderLoad(pair, { seed: 3, durationMs: 4_500 }, async (round) => {
        const ms = Math.min(1_000, 25 * 2 ** round);
        pair.proxy.latency({ ms, jitterMs: Math.floor(ms / 2) });
        await pause(600);
      });
      // Whether a late reply belongs to a write is chance; the black hole covers unknown outcomes.
      expect(outcomes).toContain('ok');
      expect(outcomes.some((outcome) => outcome === 'unknown' || outcome === 'not-applied')).toBe(true);
      const startedAt = performance.now();
      await eventually(async () => (await settle(() => created(pair.storage, 'afterwards'))).outcome === 'read');
      await eventually(() => pair.storage.feedLagMs() < 1_000);
      expect(performance.now() - startedAt).toBeLessThan(recoveryMs());
    });
  });

  describe('when replies arrive just before the deadline', () => {
    const pair = context.usePair({ deadlineMs: DEADLINE_MS });

    test.each<[string, (storage: SessionStorage) => Promise<unknown>]>([
      ['create', (storage) => created(storage, 'ada')],
      ['listLogins', (storage) => storage.listLogins({ limit: 100 })],
      ['count', (storage) => storage.count()],
    ])('%s settles by its deadline, however many round trips it takes', async (_name, call) => {
      await created(pair.witness, 'ada');
      await context.forgetScripts();
      pair.proxy.latency({ ms: 350 });
      const { ms } = await settle(() => call(pair.storage));
      expect(ms).toBeLessThan(DEADLINE_MS + slackMs(400));
    });
  });

  describe('when the network delivers only a few bytes at a time', () => {
    // Each reply takes hundreds of turns of the event loop.
    const pair = context.usePair({ deadlineMs: 10_000 });

    test('no call fails, and each receives its own reply', async () => {
      const sessions = await Promise.all(
        Array.from({ length: 20 }, (_, n) => created(pair.storage, `user-${n}`, `text-${n}`)),
      );
      pair.proxy.slice(1, 7);
      await Promise.all(
        sessions.map(async (session) => {
          expect(await pair.storage.get(session.sessionId)).toEqual(session);
          expect(await WRITES.replace(pair.storage, session)).toMatchObject({ outcome: 'replaced' });
          const [found, ...others] = await pair.storage.listByLogin(session.loginId);
          expect([found, others]).toMatchObject([{ sessionId: session.sessionId, version: 2 }, []]);
        }),
      );
    });
  });
}

/**
 * Runs random operations of three clients while a fault goes on, checks what they observed and how long calls took, and
 * resolves to the outcomes.
 */
async function outcomesUnderLoad(
  { storage, witness, proxy, waitUntilConnected }: ReturnType<ServerStorageContext['usePair']>,
  { seed, durationMs }: { readonly seed: number; readonly durationMs: number },
  fault: (round: number) => Promise<void>,
): Promise<string[]> {
  const stopping = new AbortController();
  const faults = (async () => {
    for (let round = 0; !stopping.signal.aborted; round++) await fault(round);
  })();
  const whenStable = async () => {
    stopping.abort();
    await faults;
    proxy.healthy();
    // Delayed requests reach the server, and are too late.
    await eventually(() => proxy.heldBytes === 0);
    await waitUntilConnected();
    // A feed that was cut delivers its gap when it is open again, which the history must still record.
    await eventually(() => storage.feedLagMs() < Infinity);
  };
  const load = {
    count: 3,
    durationMs,
    leastCalls: 50,
    seed,
    storage: paced(storage),
    finalStorage: witness,
    whenStable,
  };
  const { calls, ...rest } = await runClients(load);
  const checks = { clockToleranceMs: 100, feedLagMs: 5_000 };
  expect(describeViolations(checkHistory({ calls, ...rest }, checks))).toEqual([]);
  const times = calls.map(({ startedAt, endedAt = Infinity }) => (endedAt - startedAt) / 1e6);
  expect(Math.max(...times)).toBeLessThan(DEADLINE_MS + slackMs());
  return [...new Set(calls.map(({ outcome }) => outcome))];
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
