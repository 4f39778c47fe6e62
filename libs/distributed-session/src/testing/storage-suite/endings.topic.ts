import assert from 'node:assert/strict';
import type { SessionTombstone } from '../../storage/session-record.js';
import { HISTORY_LIMIT } from '../../storage/session-storage.js';
import type { StorageContext } from '../storage-context.js';

/** How sessions end, one or all, and the history that they leave. */
export function describeEndings(context: StorageContext): void {
  const { it } = context.runner;
  const { retention } = context.times;
  const ending = { reason: 'logged-out', by: 'tester', historyRetentionMs: retention } as const;

  context.topic('endings', () => {
    it('end() turns a session into a tombstone with the reason, the time, the service and the actor', async () => {
      const created = await context.create({ device: 'web' });
      const result = await context.storage.end({
        ...ending,
        sessionId: created.sessionId,
        reason: 'kicked-out',
        by: 'admin-service',
        actor: 'root',
      });
      assert(result.outcome === 'ended');
      const { endedAt, ...rest } = result.session;
      assert(endedAt >= created.createdAt);
      assert.deepEqual(rest, {
        state: 'ended',
        sessionId: created.sessionId,
        loginId: 'alice',
        serviceId: 'tester',
        device: 'web',
        version: 1,
        createdAt: created.createdAt,
        lastAccessedAt: created.lastAccessedAt,
        reason: 'kicked-out',
        endedBy: 'admin-service',
        actor: 'root',
      });
      assert.deepEqual(await context.storage.get(created.sessionId), result.session);
    });

    it('a session that is ended again keeps its first tombstone', async () => {
      const { sessionId } = await context.create();
      const first = await context.storage.end({ ...ending, sessionId });
      const again = await context.storage.end({ ...ending, sessionId, reason: 'revoked', by: 'late' });
      assert(first.outcome === 'ended' && again.outcome === 'already-ended');
      assert.deepEqual(again.session, first.session);
    });

    it('end() of an unknown session returns missing', async () => {
      const sessionId = context.storage.nextSessionId('alice');
      assert.deepEqual(await context.storage.end({ ...ending, sessionId }), { outcome: 'missing' });
    });

    it('no write revives an ended session', async () => {
      const { sessionId } = await context.create();
      await context.storage.end({ ...ending, sessionId });
      const change = { sessionId, expectedVersion: 1, payload: Buffer.from('x'), by: 'tester' };
      const replaced = await context.storage.replace({ ...change, touch: true });
      assert(replaced.outcome === 'ended');
      assert.equal(replaced.session.reason, 'logged-out');
      const successor = { sessionId: context.storage.nextSessionId('alice'), payload: Buffer.from('y') };
      const rotation = { ...change, successor, graceMs: 1_000, historyRetentionMs: retention };
      assert.equal((await context.storage.rotate(rotation)).outcome, 'ended');
      assert.equal(await context.storage.get(successor.sessionId), undefined);
      assert.deepEqual(await context.storage.touch([sessionId]), [undefined]);
      assert.equal((await context.storage.get(sessionId))?.state, 'ended');
      assert.deepEqual(await context.storage.listByLogin('alice'), []);
    });

    it('endAll() ends the sessions of a user in creation order, and no others', async () => {
      const sessions = [await context.create(), await context.create(), await context.create()];
      const bob = await context.create({ loginId: 'bob' });
      const ended = await context.storage.endAll({ ...ending, loginId: 'alice', reason: 'revoked', actor: 'root' });
      assert.deepEqual(ids(ended), ids(sessions));
      assert(
        ended.every(({ reason, endedBy, actor }) => reason === 'revoked' && endedBy === 'tester' && actor === 'root'),
      );
      assert.deepEqual(await context.storage.listByLogin('alice'), []);
      assert.equal((await context.storage.get(bob.sessionId))?.state, 'live');
      assert.deepEqual(await context.storage.endAll({ ...ending, loginId: 'alice' }), []);
    });

    it('endAll() keeps the excepted session live', async () => {
      const [first, kept] = [await context.create(), await context.create()];
      const exceptSessionId = kept.sessionId;
      const ended = await context.storage.endAll({ ...ending, loginId: 'alice', exceptSessionId });
      assert.deepEqual(ids(ended), [first.sessionId]);
      assert.deepEqual(ids(await context.storage.listByLogin('alice')), [exceptSessionId]);
    });

    it('endAll() with a device ends only the sessions of that device', async () => {
      const web = await context.create({ device: 'web' });
      const phone = await context.create({ device: 'mobile' });
      const plain = await context.create();
      const ended = await context.storage.endAll({ ...ending, loginId: 'alice', device: 'web' });
      assert.deepEqual(ids(ended), [web.sessionId]);
      assert.deepEqual(ids(await context.storage.listByLogin('alice')), [phone.sessionId, plain.sessionId]);
    });

    it('an unknown user has nothing to end and no history', async () => {
      assert.deepEqual(await context.storage.endAll({ ...ending, loginId: 'unknown' }), []);
      assert.deepEqual(await context.storage.listHistory('unknown'), []);
    });

    it('listHistory() returns ended and due sessions, the last ended first', async () => {
      const idle = await context.create(context.brief);
      const [first, second] = [await context.create(), await context.create()];
      await context.storage.end({ ...ending, sessionId: second.sessionId });
      await context.pass(2);
      await context.storage.end({ ...ending, sessionId: first.sessionId });
      await context.pass(context.times.idle + 1);
      const history = await context.storage.listHistory('alice');
      assert.deepEqual(ids(history), [idle.sessionId, first.sessionId, second.sessionId]);
      await context.sweep();
      assert.deepEqual(await context.storage.listHistory('alice'), history);
    });

    it(`a user keeps the newest ${HISTORY_LIMIT} tombstones`, async () => {
      const ended: string[] = [];
      for (let n = 0; n < HISTORY_LIMIT + 5; n++) {
        const { sessionId } = await context.create();
        await context.storage.end({ ...ending, sessionId });
        ended.push(sessionId);
      }
      const history = await context.storage.listHistory('alice');
      assert.equal(history.length, HISTORY_LIMIT);
      assert.deepEqual(new Set(ids(history)), new Set(ended.slice(-HISTORY_LIMIT)));
      assert.equal(await context.storage.get(ended[0]!), undefined);
    });

    it('of 20 concurrent calls that end one session, exactly one succeeds', async () => {
      const { sessionId } = await context.create();
      const results = await Promise.all(
        Array.from({ length: 20 }, (_, n) => context.storage.end({ ...ending, sessionId, by: `service-${n}` })),
      );
      assert.equal(results.filter(({ outcome }) => outcome === 'ended').length, 1);
      const tombstones = results.map((result) => (result as { session: SessionTombstone }).session);
      assert.equal(new Set(tombstones.map(({ endedBy }) => endedBy)).size, 1);
      assert.equal((await context.storage.listHistory('alice')).length, 1);
    });

    it('endAll() during 100 concurrent logins ends every earlier session and loses no later one', async () => {
      for (let n = 0; n < 10; n++) await context.create();
      const before = new Set(ids(await context.storage.listByLogin('alice')));
      const limits = { perLogin: 1_000, onLimit: 'end-oldest' } as const;
      const creations = Array.from({ length: 100 }, () => context.create({ limits }));
      const endings = Array.from({ length: 3 }, () => context.storage.endAll({ ...ending, loginId: 'alice' }));
      const created = ids(await Promise.all(creations));
      const ended = new Set((await Promise.all(endings)).flatMap((tombstones) => ids(tombstones)));
      const live = new Set(ids(await context.storage.listByLogin('alice')));
      for (const sessionId of before) assert(ended.has(sessionId) && !live.has(sessionId));
      for (const sessionId of created)
        assert(ended.has(sessionId) !== live.has(sessionId), 'lost, or both live and ended');
      assert.equal(live.size + ended.size, 110);
    });
  });
}

const ids = (sessions: readonly { sessionId: string }[]) => sessions.map(({ sessionId }) => sessionId);
