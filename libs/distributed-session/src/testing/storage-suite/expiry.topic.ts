import assert from 'node:assert/strict';
import type { SessionRecord, SessionTombstone, StoredSession } from '../../storage/session-record.js';
import type { StorageContext } from '../storage-context.js';

/** How sessions expire, how accesses keep them alive, and how the sweep ends them. */
export function describeExpiry(context: StorageContext): void {
  const { it } = context.runner;
  const { brief } = context;
  const { idle, absolute, retention } = context.times;
  const get = (sessionId: string): Promise<StoredSession | undefined> => context.storage.get(sessionId);
  const live = async (sessionId: string) => (await get(sessionId)) as SessionRecord;
  const keepAlive = async (sessionId: string, until: number) => {
    while (context.storage.now() < until) {
      await context.storage.touch([sessionId]);
      await context.pass(Math.min(idle / 4, Math.max(1, until - context.storage.now())));
    }
  };

  context.topic('expiry', () => {
    it('an unused session ends after its idle timeout, before any sweep', async () => {
      const { sessionId } = await context.create(brief);
      await context.pass(idle / 4);
      assert.equal((await get(sessionId))?.state, 'live');
      await context.pass(idle);
      assert.equal((await get(sessionId))?.state, 'ended');
    });

    it('a due session reads as the tombstone that the sweep will write', async () => {
      const created = await context.create({ ...brief, device: 'web' });
      await context.pass(idle + 1);
      const shown = (await get(created.sessionId)) as SessionTombstone;
      assert.equal(shown.reason, 'idle-timeout');
      assert.equal(shown.endedAt, created.expiresAt);
      assert.equal(shown.endedBy, '@expiry');
      await context.sweep();
      assert.deepEqual(await get(created.sessionId), shown);
      assert(!('payload' in shown));
    });

    it('no method treats a due session as live', async () => {
      const { sessionId } = await context.create(brief);
      await context.pass(idle + 1);
      const change = { sessionId, expectedVersion: 1, payload: Buffer.from('x'), by: 'tester' };
      assert.deepEqual(await context.storage.touch([sessionId]), [undefined]);
      assert.equal((await context.storage.replace({ ...change, touch: true })).outcome, 'ended');
      const successor = { sessionId: context.storage.nextSessionId('alice'), payload: Buffer.from('y') };
      const rotation = { ...change, successor, graceMs: 0, historyRetentionMs: retention };
      assert.equal((await context.storage.rotate(rotation)).outcome, 'ended');
      assert.deepEqual(await context.storage.listByLogin('alice'), []);
      const ending = { reason: 'logged-out', by: 'tester', historyRetentionMs: retention } as const;
      assert.deepEqual(await context.storage.endAll({ loginId: 'alice', ...ending }), []);
      const end = await context.storage.end({ sessionId, ...ending });
      assert(end.outcome === 'already-ended');
      assert.equal(end.session.reason, 'idle-timeout');
    });

    it('a session stays live while it is touched', async () => {
      const { sessionId, createdAt } = await context.create({ ...brief, absoluteTimeoutMs: undefined });
      await keepAlive(sessionId, createdAt + 2 * idle);
      const session = await live(sessionId);
      assert.equal(session.state, 'live');
      assert.equal(session.expiresAt, session.lastAccessedAt + idle);
    });

    it('touch() changes only the times and returns them', async () => {
      const created = await context.create();
      await context.pass(5);
      const [times] = await context.storage.touch([created.sessionId]);
      assert(times && times.lastAccessedAt > created.lastAccessedAt);
      const { lastAccessedAt, expiresAt, version, createdAt } = await live(created.sessionId);
      assert.deepEqual(times, { sessionId: created.sessionId, lastAccessedAt, expiresAt });
      assert.deepEqual([version, createdAt], [1, created.createdAt]);
    });

    it('touch() of several sessions returns their times in the given order', async () => {
      const one = await context.create();
      const other = await context.create({ loginId: 'bob' });
      const missing = context.storage.nextSessionId('carol');
      const times = await context.storage.touch([other.sessionId, missing, one.sessionId]);
      assert.deepEqual(
        times.map((entry) => entry?.sessionId),
        [other.sessionId, undefined, one.sessionId],
      );
      assert.deepEqual(await context.storage.touch([]), []);
    });

    it('an access never moves the absolute end', async () => {
      const { sessionId, createdAt } = await context.create(brief);
      await keepAlive(sessionId, createdAt + absolute - idle / 2);
      await context.storage.touch([sessionId]);
      const session = await live(sessionId);
      assert.equal(session.absoluteExpiresAt, createdAt + absolute);
      assert.equal(session.expiresAt, createdAt + absolute);
      await context.pass(idle);
      const ended = (await get(sessionId)) as SessionTombstone;
      assert.equal(ended.reason, 'absolute-timeout');
      assert.equal(ended.endedAt, createdAt + absolute);
    });

    it('a session without an idle timeout ends at its absolute end, used or not', async () => {
      const { sessionId, createdAt } = await context.create({ ...brief, idleTimeoutMs: undefined });
      await context.storage.touch([sessionId]);
      assert.equal((await live(sessionId)).expiresAt, createdAt + absolute);
      await context.pass(absolute + 1);
      assert.equal(((await get(sessionId)) as SessionTombstone).reason, 'absolute-timeout');
    });

    it('replace() counts as an access only with touch: true', async () => {
      const created = await context.create();
      await context.pass(5);
      const change = { sessionId: created.sessionId, payload: Buffer.from('x'), by: 'tester' };
      await context.storage.replace({ ...change, expectedVersion: 1, touch: false });
      assert.equal((await live(created.sessionId)).expiresAt, created.expiresAt);
      await context.storage.replace({ ...change, expectedVersion: 2, touch: true });
      assert((await live(created.sessionId)).expiresAt > created.expiresAt);
    });

    it('sweep() ends due sessions in batches, each once, and leaves the others alone', async () => {
      for (const loginId of ['a', 'b', 'c']) await context.create({ ...brief, loginId });
      const kept = await context.create();
      await context.pass(idle + 1);
      const sweep = { limit: 2, historyRetentionMs: retention };
      assert.equal(await context.storage.sweep(sweep), 2);
      assert.equal(await context.storage.sweep(sweep), 1);
      assert.equal(await context.storage.sweep(sweep), 0);
      assert.equal((await get(kept.sessionId))?.state, 'live');
      assert.deepEqual(await context.storage.count(), { sessions: 1, logins: 1 });
    });

    it('sweep() leaves a session alone that was touched in time', async () => {
      const { sessionId } = await context.create(brief);
      await context.pass(idle / 2);
      await context.storage.touch([sessionId]);
      await context.pass(idle / 2);
      assert.equal(await context.sweep(), 0);
      assert.equal((await get(sessionId))?.state, 'live');
    });

    it('a tombstone disappears after its retention', async () => {
      const { sessionId } = await context.create();
      await context.storage.end({ sessionId, reason: 'logged-out', by: 'tester', historyRetentionMs: idle });
      assert.equal((await get(sessionId))?.state, 'ended');
      await context.pass(idle + 1);
      assert.equal(await get(sessionId), undefined);
      assert.deepEqual(await context.storage.listHistory('alice'), []);
      const change = { sessionId, expectedVersion: 1, payload: Buffer.from('x'), by: 'tester', touch: true };
      assert.deepEqual(await context.storage.replace(change), { outcome: 'missing' });
    });

    if (context.capabilities.drivenClock) {
      it('a session ends at the exact millisecond of its expiry', async () => {
        const { sessionId } = await context.create(brief);
        await context.pass(idle - 1);
        assert.equal((await get(sessionId))?.state, 'live');
        await context.pass(1);
        assert.equal((await get(sessionId))?.state, 'ended');
      });

      it('the last access never moves back when the clock is set back', async () => {
        const created = await context.create();
        await context.pass(-10_000);
        await context.storage.touch([created.sessionId]);
        const session = await live(created.sessionId);
        assert.equal(session.lastAccessedAt, created.lastAccessedAt);
        assert.equal(session.expiresAt, created.expiresAt);
      });
    }
  });
}
