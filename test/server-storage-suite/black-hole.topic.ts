import { beforeEach, describe, expect, test } from '@jest/globals';
import type { SessionRecord } from 'nestjs-distributed-session/storage';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import { recoveryMs } from '../support/storage/recovery-time.js';
import { settle } from '../support/storage/settled-call.js';
import { slackMs } from '../support/storage/slack.js';
import { created, READS, warmUp, WRITES } from '../support/storage/storage-calls.js';
import { openConnections } from './open-connections.js';
import type { ServerStorageContext } from './server-storage-target.js';

const DEADLINE_MS = 500;
const CALLS = Object.keys(READS).length + Object.keys(WRITES).length;
const READS_UNAVAILABLE_WRITES_UNKNOWN = {
  reads: new Set(['ERR_STORAGE_UNAVAILABLE']),
  writes: new Set(['ERR_STORAGE_OUTCOME_UNKNOWN']),
};

export function describeBlackHole(context: ServerStorageContext): void {
  describe('when nothing responds', () => {
    describeSilence(context);
  });
}

function describeSilence(context: ServerStorageContext): void {
  const pair = context.usePair({ deadlineMs: DEADLINE_MS, heartbeatIntervalMs: 200, callsAtOnce: CALLS });
  let session: SessionRecord;
  let users = 0;

  beforeEach(async () => {
    await warmUp(pair.witness);
    session = await created(pair.witness, `black-hole-${(users += 1)}`);
    await openConnections(pair.storage, CALLS);
  });

  /** Makes every call at once; resolves to their outcomes. All settle by their deadline. */
  async function settleAll(): Promise<{ reads: Set<string>; writes: Set<string> }> {
    const [reads, writes] = await Promise.all(
      [READS, WRITES].map((calls) =>
        Promise.all(Object.values(calls).map((call) => settle(() => call(pair.storage, session)))),
      ),
    );
    const longestMs = Math.max(...[...reads!, ...writes!].map(({ ms }) => ms));
    expect(longestMs).toBeLessThan(DEADLINE_MS + slackMs());
    return {
      reads: new Set(reads!.map(({ outcome }) => outcome)),
      writes: new Set(writes!.map(({ outcome }) => outcome)),
    };
  }

  /** Expects writes, reads and the feed to work again without a call that helps. */
  async function expectRecovery(): Promise<void> {
    const startedAt = performance.now();
    await eventually(async () => (await settle(() => created(pair.storage, 'afterwards'))).outcome === 'read');
    await eventually(async () => (await settle(() => pair.storage.get(session.sessionId))).outcome === 'read');
    await eventually(() => pair.storage.feedLagMs() < 1_000);
    expect(performance.now() - startedAt).toBeLessThan(recoveryMs());
    expect(await pair.storage.ping()).toEqual({ writable: true, notes: [] });
  }

  describe('because the network drops all bytes', () => {
    test.each([
      ['both directions', 'both'],
      ['requests', 'up'],
      ['replies', 'down'],
    ] as const)('%s: calls settle by their deadline, and the storage recovers', async (_name, direction) => {
      pair.proxy.blackHole(direction);
      expect(await settleAll()).toEqual(READS_UNAVAILABLE_WRITES_UNKNOWN);
      // Once the storage has given up its connections, writes are not sent, and so known not to be applied.
      await eventually(async () => {
        const { outcome, ms } = await settle(() => WRITES.create(pair.storage, session));
        return outcome === 'ERR_STORAGE_UNAVAILABLE' && (!context.target.failsFast || ms < DEADLINE_MS / 5);
      });
      pair.proxy.discard();
      await expectRecovery();
    });
  });

  describe('because the server is frozen', () => {
    test('calls settle by their deadline, and the storage recovers once the server resumes', async () => {
      context.server.freeze();
      expect(await settleAll()).toEqual(READS_UNAVAILABLE_WRITES_UNKNOWN);
      context.server.resume();
      await expectRecovery();
    });

    test('calls succeed if the server resumes before their deadline', async () => {
      context.server.freeze();
      const calls = Promise.all([
        settle(() => WRITES.create(pair.storage, session)),
        settle(() => pair.storage.get(session.sessionId)),
      ]);
      await eventually(() => pair.proxy.heldBytes === 0);
      context.server.resume();
      expect((await calls).map(({ outcome }) => outcome)).toEqual(['created', 'read']);
    });

    test('the storage opens a new connection, and recovers once the server resumes', async () => {
      const opened = pair.proxy.connectionsOpened;
      context.server.freeze();
      await eventually(async () => {
        await settle(() => pair.storage.get(session.sessionId));
        return pair.proxy.connectionsOpened > opened;
      });
      context.server.resume();
      await expectRecovery();
      expect(await pair.storage.get(session.sessionId)).toMatchObject({ state: 'live', version: 1 });
    });
  });
}
