import assert from 'node:assert/strict';
import type { UnreadableCause } from '../../model/session.js';
import type { SessionRecord } from '../../storage/session-record.js';
import { rejectsWith } from '../assertions.js';
import type { StorageContext } from '../storage-context.js';

const CODES = { 'newer-format': 'ERR_STORAGE_NEWER_FORMAT', corrupt: 'ERR_STORAGE_CORRUPT' } as const;

const ids = (sessions: readonly { readonly sessionId: string }[]) => sessions.map(({ sessionId }) => sessionId);

/** Records that cannot be read, beside others of the same user. */
export function describeUnreadableRecords(context: StorageContext): void {
  const { it } = context.runner;
  const causes = context.capabilities.unreadable ?? [];
  const ending = { reason: 'logged-out', by: 'tester', historyRetentionMs: context.times.retention } as const;

  /** Three sessions of a user, the second of which becomes unreadable. */
  const three = async (cause: UnreadableCause) => {
    const { makeUnreadable } = context.fixture;
    assert(makeUnreadable, 'the capability unreadable requires fixture.makeUnreadable()');
    const sessions = [await context.create(), await context.create({ device: 'web' }), await context.create()];
    await makeUnreadable(sessions[1]!.sessionId, cause);
    return sessions as [SessionRecord, SessionRecord, SessionRecord];
  };

  if (causes.length === 0) return;
  context.topic('unreadable records', () => {
    for (const cause of causes) {
      it(`lists and counts contain a session that is unreadable (${cause}), beside the others`, async () => {
        const [first, unreadable, last] = await three(cause);
        const listed = await context.storage.listByLogin('alice');
        assert.deepEqual(ids(listed).toSorted(), ids([first, unreadable, last]).toSorted());
        const entry = listed.find(({ sessionId }) => sessionId === unreadable.sessionId);
        assert(entry?.state === 'unreadable');
        assert.equal(entry.cause, cause);
        assert.equal(entry.loginId, 'alice');
        await context.create();
        assert.deepEqual(await context.storage.count(), { sessions: 4, logins: 1 });
        assert.deepEqual((await context.storage.listLogins({ limit: 10 })).logins, [{ loginId: 'alice', sessions: 4 }]);
        assert.deepEqual(await context.storage.listHistory('alice'), []);
      });

      it(`reads and writes of a session that is unreadable (${cause}) reject, and touches and sweeps leave it`, async () => {
        const [first, { sessionId }] = await three(cause);
        const { storage } = context;
        await rejectsWith(storage.get(sessionId), CODES[cause]);
        const change = { sessionId, expectedVersion: 1, by: 'tester', payload: Buffer.from('x') };
        if (cause === 'newer-format') {
          const successor = { sessionId: storage.nextSessionId('alice'), payload: Buffer.from('y') };
          await rejectsWith(storage.replace({ ...change, touch: true }), CODES[cause]);
          await rejectsWith(storage.rotate({ ...change, ...ending, successor, graceMs: 0 }), CODES[cause]);
        }
        assert.notEqual((await storage.touch([first.sessionId, sessionId]))[0], undefined);
        await context.sweep();
        await rejectsWith(storage.get(sessionId), CODES[cause]);
        assert.equal((await storage.listByLogin('alice')).length, 3);
      });

      it(`end() ends a session that is unreadable (${cause}), with its end in the history and on the feed`, async () => {
        const [, { sessionId }] = await three(cause);
        const { changes } = context.listen();
        const result = await context.storage.end({ ...ending, sessionId, reason: 'kicked-out' });
        assert.equal(result.outcome, 'ended');
        assert.equal((await context.storage.get(sessionId))?.state, 'ended');
        const [entry] = await context.storage.listHistory('alice');
        assert.deepEqual([entry?.sessionId, entry?.reason, entry?.endedBy], [sessionId, 'kicked-out', 'tester']);
        assert.equal((await context.storage.listByLogin('alice')).length, 2);
        assert.deepEqual(await context.storage.count(), { sessions: 2, logins: 1 });
        await context.until(() => changes.some((change) => change.type === 'session.ended'), 'the published end');
        assert.equal((await context.storage.end({ ...ending, sessionId })).outcome, 'already-ended');
      });

      it(`endAll() ends a session that is unreadable (${cause}), and excepts it`, async () => {
        const [first, { sessionId }, last] = await three(cause);
        const others = await context.storage.endAll({ ...ending, loginId: 'alice', exceptSessionId: sessionId });
        assert.deepEqual(ids(others), ids([first, last]));
        assert.deepEqual(ids(await context.storage.endAll({ ...ending, loginId: 'alice' })), [sessionId]);
        assert.deepEqual(await context.storage.count(), { sessions: 0, logins: 0 });
        assert.equal((await context.storage.listHistory('alice')).length, 3);
      });

      it(`the limit counts a session that is unreadable (${cause}), and ends it in its turn`, async () => {
        const [, { sessionId }] = await three(cause);
        const full = await context.storage.create(context.creation({ limits: { perLogin: 3, onLimit: 'reject' } }));
        assert.equal(full.outcome, 'limit-reached');
        for (let created = 0; created < 2; created++)
          await context.create({ limits: { perLogin: 3, onLimit: 'end-oldest' } });
        assert.equal((await context.storage.listByLogin('alice')).length, 3);
        const ended = (await context.storage.listHistory('alice')).find((entry) => entry.sessionId === sessionId);
        assert.equal(ended?.reason, 'limit');
        assert.deepEqual(await context.storage.count(), { sessions: 3, logins: 1 });
      });
    }
  });
}
