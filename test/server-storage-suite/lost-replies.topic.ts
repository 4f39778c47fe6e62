import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { SessionStorage } from 'nestjs-distributed-session';
import type { SessionRecord, StorageChange } from 'nestjs-distributed-session/storage';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import { APPLIED_ONCE, SERVICE_APPLIED_ONCE } from '../support/storage/applied-once.js';
import { recoveryMs } from '../support/storage/recovery-time.js';
import { SERVICE, SERVICE_READS, SERVICE_WRITES, warmUpServices } from '../support/storage/service-calls.js';
import { settle } from '../support/storage/settled-call.js';
import { slackMs } from '../support/storage/slack.js';
import {
  created,
  createdExpired,
  creation,
  READS,
  RETENTION_MS,
  type StorageOperation,
  warmUp,
  WRITES,
} from '../support/storage/storage-calls.js';
import { openConnections } from './open-connections.js';
import type { ServerStorageContext } from './server-storage-target.js';

const DEADLINE_MS = 1_000;
const IN_FLIGHT = 20;
const SWEEP = { limit: 10, historyRetentionMs: RETENTION_MS };
const UNKNOWN_AND_SENT_ONCE = { outcome: 'ERR_STORAGE_OUTCOME_UNKNOWN', sent: 1 };

export function describeLostReplies(context: ServerStorageContext): void {
  describe('when a reply is lost', () => {
    // Heartbeats are rare: the lost reply must be the reply to the call.
    const pair = context.usePair({ deadlineMs: DEADLINE_MS, heartbeatIntervalMs: 60_000, callsAtOnce: IN_FLIGHT });
    let session: SessionRecord;
    let changes: StorageChange[];
    let unsubscribe: () => void;
    let users = 0;

    beforeEach(async () => {
      await warmUp(pair.witness);
      await warmUpServices(pair.witness);
      session = await created(pair.witness, `user-${(users += 1)}`);
      await pair.witness.services.put(SERVICE);
      changes = [];
      unsubscribe = pair.witness.changes((change) => changes.push(change));
    });

    afterEach(() => unsubscribe());

    /** Loses the reply to a call, and resolves to its outcome and how often it was sent, including after the reconnect. */
    async function loseReplyOf(operation: StorageOperation, call: (storage: SessionStorage) => Promise<unknown>) {
      const [before, dropped] = [await context.countRequests(operation), pair.proxy.repliesDropped];
      pair.proxy.dropNextReply(context.target.requestOf(operation));
      const { outcome, ms } = await settle(() => call(pair.storage));
      expect(pair.proxy.repliesDropped).toBe(dropped + 1);
      expect(ms).toBeLessThan(DEADLINE_MS + slackMs());
      // A storage that sends requests again has done so once it is connected.
      await eventually(async () => (await settle(() => pair.storage.get(session.sessionId))).outcome === 'read');
      return { outcome, sent: (await context.countRequests(operation)) - before };
    }

    /** Resolves once the witness has received the change of a session created now. */
    async function waitForLastChange(): Promise<void> {
      const { sessionId } = await created(pair.witness, 'last');
      await eventually(() => changes.some((change) => 'sessionId' in change && change.sessionId === sessionId));
    }

    test.each(Object.keys(WRITES) as (keyof typeof WRITES)[])(
      '%s rejects with an unknown outcome, and was applied exactly once',
      async (operation) => {
        const lost = await loseReplyOf(operation, (storage) => WRITES[operation](storage, session));
        expect(lost).toEqual(UNKNOWN_AND_SENT_ONCE);
        await APPLIED_ONCE[operation](pair.witness, session);
        await waitForLastChange();
        expect(changes).toHaveLength(operation === 'touch' ? 1 : 2);
      },
    );

    test.each(Object.keys(SERVICE_WRITES) as (keyof typeof SERVICE_WRITES)[])(
      'services.%s rejects with an unknown outcome, and was applied exactly once',
      async (operation) => {
        expect(await loseReplyOf(operation, SERVICE_WRITES[operation])).toEqual(UNKNOWN_AND_SENT_ONCE);
        expect(await pair.witness.services.list()).toMatchObject(SERVICE_APPLIED_ONCE[operation]);
      },
    );

    test('services.recordUse rejects with an unknown outcome, and the use is recorded', async () => {
      const use = { serviceId: SERVICE.serviceId, keyId: SERVICE.secret.keyId };
      const { outcome } = await loseReplyOf('recordUse', (storage) => storage.services.recordUse(use));
      expect(outcome).toBe('ERR_STORAGE_OUTCOME_UNKNOWN');
      const found = await pair.witness.services.find(SERVICE.serviceId);
      expect(found?.secrets).toMatchObject([{ lastUsedAt: expect.any(Number) }]);
    });

    test('a repeated create finds its own id taken', async () => {
      const wanted = creation(pair.storage, session.loginId);
      expect(await loseReplyOf('create', (storage) => storage.create(wanted))).toEqual(UNKNOWN_AND_SENT_ONCE);
      expect(await pair.storage.create(wanted)).toEqual({ outcome: 'id-taken' });
      expect(await pair.storage.get(wanted.sessionId)).toMatchObject({ state: 'live', version: 1 });
    });

    test('sweep rejects with an unknown outcome, and ended the expired session exactly once', async () => {
      await createdExpired(pair.witness, 'swept');
      expect(await pair.storage.sweep(SWEEP)).toBe(1);
      const { sessionId } = await createdExpired(pair.witness, session.loginId);
      const { outcome } = await loseReplyOf('sweep', (storage) => storage.sweep(SWEEP));
      expect(outcome).toBe('ERR_STORAGE_OUTCOME_UNKNOWN');
      expect(await pair.witness.sweep(SWEEP)).toBe(0);
      await waitForLastChange();
      const ended = changes.filter((change) => 'sessionId' in change && change.sessionId === sessionId).slice(1);
      expect(ended).toMatchObject([{ type: 'session.ended', by: '@expiry' }]);
      expect(await pair.witness.listHistory(session.loginId)).toHaveLength(1);
    });

    test('every write in flight rejects with an unknown outcome', async () => {
      const count = async () => (await pair.witness.listByLogin(session.loginId)).length;
      await openConnections(pair.storage, IN_FLIGHT);
      pair.proxy.blackHole('down');
      const calls = Array.from({ length: IN_FLIGHT }, () => settle(() => WRITES.create(pair.storage, session)));
      await eventually(async () => (await count()) >= 1 + IN_FLIGHT);
      pair.proxy.cut();
      pair.proxy.healthy();
      const outcomes = (await Promise.all(calls)).map(({ outcome }) => outcome);
      expect(new Set(outcomes)).toEqual(new Set(['ERR_STORAGE_OUTCOME_UNKNOWN']));
      expect(await count()).toBe(1 + IN_FLIGHT);
    });

    const reads: Record<string, (storage: SessionStorage) => Promise<unknown>> = {
      ...Object.fromEntries(
        Object.entries(READS).map(([name, read]) => [name, async (storage) => read(storage, session)]),
      ),
      ...Object.fromEntries(Object.entries(SERVICE_READS).map(([name, read]) => [`services.${name}`, read])),
    };

    test.each(Object.keys(reads))('%s rejects as unavailable, and soon works again', async (name) => {
      const read = () => reads[name]!(pair.storage);
      pair.proxy.blackHole('down');
      const call = settle(read);
      await eventually(() => pair.proxy.heldBytes > 0);
      pair.proxy.cut();
      pair.proxy.healthy();
      expect(await call).toMatchObject({ outcome: 'ERR_STORAGE_UNAVAILABLE' });
      const startedAt = performance.now();
      await eventually(async () => (await settle(read)).outcome === 'read');
      expect(performance.now() - startedAt).toBeLessThan(recoveryMs());
    });
  });
}
