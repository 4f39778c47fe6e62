import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { StorageChange } from 'nestjs-distributed-session/storage';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import { recoveryMs } from '../support/storage/recovery-time.js';
import { created, WRITES } from '../support/storage/storage-calls.js';
import type { ServerStorageContext } from './server-storage-target.js';

const HEARTBEAT_MS = 100;
/** A cache serves no copies while the feed may lag this far behind. */
const BEHIND_MS = 5 * HEARTBEAT_MS;

export function describeFeedInterruptions(context: ServerStorageContext): void {
  describe('the change feed', () => {
    const pair = context.usePair({ heartbeatIntervalMs: HEARTBEAT_MS, deadlineMs: 1_000 });
    let received: StorageChange[];
    let unsubscribe: () => void;

    beforeEach(async () => {
      await eventually(() => pair.storage.feedLagMs() < BEHIND_MS);
      received = [];
      unsubscribe = pair.storage.changes((change) => received.push(change));
    });

    afterEach(() => unsubscribe());

    /** The changes received: the user of a session, or the type of a change without a user. */
    const names = () => received.map((change) => ('loginId' in change ? change.loginId : change.type));

    /** Creates sessions of numbered users one after the other until it is stopped. `stop()` resolves to the users. */
    function keepCreating(): { stop: () => Promise<string[]> } {
      const logins: string[] = [];
      const stopping = new AbortController();
      const creating = (async () => {
        while (!stopping.signal.aborted) {
          const loginId = `user-${logins.length}`;
          await created(pair.witness, loginId);
          logins.push(loginId);
        }
      })();
      return {
        stop: async () => {
          stopping.abort();
          await creating;
          return logins;
        },
      };
    }

    /** Expects that the feed recovers with a gap, and delivers every change after it in order. */
    async function expectRecovery(
      creating: ReturnType<typeof keepCreating>,
      startedAt = performance.now(),
    ): Promise<void> {
      await eventually(() => names().includes('feed.gap') && pair.storage.feedLagMs() < BEHIND_MS);
      expect(performance.now() - startedAt).toBeLessThan(recoveryMs());
      const written = await creating.stop();
      await eventually(() => names().at(-1) === written.at(-1));
      const late = names().slice(names().lastIndexOf('feed.gap') + 1);
      expect(late).toEqual(written.slice(-late.length));
      expect(names().filter((name) => name === 'feed.gap')).toHaveLength(1);
      await expectDelivery();
    }

    /** Expects that the feed delivers the changes of another process in order. */
    async function expectDelivery(): Promise<void> {
      await eventually(() => pair.storage.feedLagMs() < BEHIND_MS);
      received.length = 0;
      const session = await created(pair.witness, 'afterwards');
      await WRITES.replace(pair.witness, session);
      await WRITES.end(pair.witness, session);
      await eventually(() => received.length >= 3);
      expect(received.map(({ type }) => type)).toEqual(['session.created', 'session.updated', 'session.ended']);
    }

    test.each([
      ['ended by the server', () => context.endFeeds()],
      ['cut by the network', async () => pair.proxy.cut()],
    ])('delivers a gap and every change after it when its connection is %s', async (_name, end) => {
      const creating = keepCreating();
      let highest = 0;
      await end();
      await eventually(() => {
        highest = Math.max(highest, pair.storage.feedLagMs());
        return names().includes('feed.gap');
      });
      expect(highest).toBe(Infinity);
      await expectRecovery(creating);
    });

    test('reports an infinite lag while its connection is refused; a listener that reads again at the gap misses nothing', async () => {
      const session = await created(pair.witness, 'ada');
      await eventually(() => received.length === 1);
      pair.proxy.refuse();
      pair.proxy.cut();
      await eventually(() => pair.storage.feedLagMs() === Infinity);
      await WRITES.end(pair.witness, session);
      pair.proxy.healthy();
      await eventually(() => names().includes('feed.gap'));
      expect(received.map(({ type }) => type)).toEqual(['session.created', 'feed.gap']);
      await pair.waitUntilConnected();
      expect(await pair.storage.get(session.sessionId)).toMatchObject({ state: 'ended' });
      await expectDelivery();
    });

    test.each(context.target.feedReceives)(
      'reports its lag, reconnects, and delivers a gap and every change after it when packets are dropped in direction %s',
      async (direction) => {
        pair.proxy.blackHole(direction);
        const missed = await created(pair.witness, 'missed');
        const creating = keepCreating();
        const lags: number[] = [];
        await eventually(() => {
          lags.push(pair.storage.feedLagMs());
          return pair.storage.feedLagMs() === Infinity;
        });
        // While nothing arrives, the lag never decreases.
        const silent = direction === 'up' ? [] : lags;
        expect(silent).toEqual(silent.toSorted((one, other) => one - other));
        const before = names().length;
        const discardedAt = performance.now();
        pair.proxy.discard();
        await eventually(() => names().includes('feed.gap'));
        expect(names()[before]).toBe('feed.gap');
        // What was dropped is not delivered late.
        expect(names().slice(before)).not.toContain('missed');
        await pair.waitUntilConnected();
        expect(await pair.storage.get(missed.sessionId)).toMatchObject({ state: 'live' });
        await expectRecovery(creating, discardedAt);
      },
    );

    test('is kept while heartbeats arrive late, and delivers every change in order', async () => {
      pair.proxy.latency({ ms: 4 * HEARTBEAT_MS });
      const creating = keepCreating();
      await eventually(() => received.length > 10);
      const written = await creating.stop();
      await eventually(() => received.length >= written.length);
      expect(names()).toEqual(written);
      expect(pair.storage.feedLagMs()).toBeGreaterThanOrEqual(4 * HEARTBEAT_MS - 5);
    });
  });
}
