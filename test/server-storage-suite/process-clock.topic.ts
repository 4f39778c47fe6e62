import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { SessionStorage } from 'nestjs-distributed-session';
import type { SessionRecord } from 'nestjs-distributed-session/storage';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import { slackMs } from '../support/storage/slack.js';
import { created, RETENTION_MS } from '../support/storage/storage-calls.js';
import type { ServerStorageContext } from './server-storage-target.js';

const HOUR_MS = 3_600_000;

export function describeProcessClock(context: ServerStorageContext): void {
  describe('when the clock of the process is set', () => {
    const pair = context.usePair({ heartbeatIntervalMs: 200 });
    let session: SessionRecord;

    beforeEach(async () => {
      session = await created(pair.witness, 'ada');
    });

    afterEach(() => {
      jest.restoreAllMocks();
    });

    test.each([
      ['forward by an hour', HOUR_MS],
      ['back by an hour', -HOUR_MS],
      ['to the beginning of time', -Date.now()],
    ])('%s, the storage keeps its own time and expires no session', async (_name, step) => {
      const real = Date.now.bind(Date);
      const before = pair.storage.now();
      const startedAt = performance.now();
      jest.spyOn(Date, 'now').mockImplementation(() => real() + step);
      const expectSteady = () => {
        const passed = performance.now() - startedAt;
        expect(Math.abs(pair.storage.now() - before - passed)).toBeLessThan(slackMs());
      };
      expectSteady();
      const added = await created(pair.storage, 'ada');
      expect(Math.abs(added.createdAt - real())).toBeLessThan(slackMs());
      expect(await pair.storage.get(session.sessionId)).toMatchObject({ state: 'live' });
      expect(await pair.storage.sweep({ limit: 10, historyRetentionMs: RETENTION_MS })).toBe(0);
      const [touched] = await pair.storage.touch([session.sessionId]);
      expect(touched!.lastAccessedAt).toBeGreaterThanOrEqual(session.lastAccessedAt);
      // With each of its heartbeats, the storage has read the server's time again.
      await heartbeats(pair.storage, 6);
      expectSteady();
      expect(pair.storage.feedLagMs()).toBeLessThan(5_000);
    });
  });
}

/** Resolves once this many heartbeats have arrived: each reduces the lag. */
async function heartbeats(storage: SessionStorage, count: number): Promise<void> {
  let [arrived, lag] = [0, storage.feedLagMs()];
  await eventually(() => {
    const now = storage.feedLagMs();
    if (now < lag) arrived += 1;
    lag = now;
    return arrived >= count;
  });
}
