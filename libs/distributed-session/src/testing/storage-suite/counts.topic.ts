import assert from 'node:assert/strict';
import type { SessionCounts } from '../../storage/session-storage.operations.js';
import type { StorageContext } from '../storage-context.js';

/** The numbers of live sessions and of users who have one. */
export function describeCounts(context: StorageContext): void {
  const { it } = context.runner;
  const { brief } = context;
  const { idle, absolute, retention } = context.times;
  const ending = { reason: 'logged-out', by: 'tester', historyRetentionMs: retention } as const;
  const counts = async (sessions: number, logins: number, storage = context.storage) =>
    assert.deepEqual(await storage.count(), { sessions, logins } satisfies SessionCounts);

  context.topic('counts', () => {
    it('count() returns the live sessions and the users, several sessions of one user as one user', async () => {
      await counts(0, 0);
      await context.create();
      await counts(1, 1);
      await context.create({ device: 'web' });
      await counts(2, 1);
      for (const loginId of ['bob', 'Alice', 'alice ']) await context.create({ loginId });
      await counts(5, 4);
    });

    it('a user is not counted after the last session has ended, and counts again with the next', async () => {
      const [first, second] = [await context.create(), await context.create()];
      await context.create({ loginId: 'bob' });
      await context.storage.end({ ...ending, sessionId: first.sessionId });
      await counts(2, 2);
      await context.storage.end({ ...ending, sessionId: second.sessionId });
      await counts(1, 1);
      await context.storage.end({ ...ending, sessionId: second.sessionId });
      await counts(1, 1);
      await context.create();
      await counts(2, 2);
    });

    it('a user is not counted after endAll(), but still is while one session is excepted', async () => {
      const kept = await context.create();
      for (const loginId of ['alice', 'alice', 'bob']) await context.create({ loginId });
      await context.storage.endAll({ ...ending, loginId: 'alice', exceptSessionId: kept.sessionId });
      await counts(2, 2);
      await context.storage.endAll({ ...ending, loginId: 'alice' });
      await counts(1, 1);
      await context.storage.endAll({ ...ending, loginId: 'alice' });
      await counts(1, 1);
    });

    it('a user still counts while sessions make room for another, or while one is rejected', async () => {
      for (const device of ['web', 'mobile', 'web']) await context.create({ device });
      const limits = { perLogin: 1, onLimit: 'end-oldest' } as const;
      await context.create({ limits });
      await counts(1, 1);
      const { sessionId } = await context.create({ limits });
      await counts(1, 1);
      await context.storage.create(context.creation({ limits: { ...limits, onLimit: 'reject' } }));
      await counts(1, 1);
      await context.storage.end({ ...ending, sessionId });
      await counts(0, 0);
    });

    it('a user is not counted after the last session was swept', async () => {
      for (const loginId of ['alice', 'alice', 'bob']) await context.create({ ...brief, loginId });
      await context.create({ ...brief, idleTimeoutMs: undefined });
      await context.pass(idle + 1);
      await context.sweep();
      await counts(1, 1);
      await context.pass(absolute);
      const { sessions, logins } = await context.storage.count();
      assert(sessions <= 1 && logins === sessions, `${sessions} sessions of ${logins} users`);
      await context.sweep();
      await counts(0, 0);
    });

    it('a user who returns before a due session was swept is counted once', async () => {
      await context.create(brief);
      await context.pass(idle + 1);
      const { sessionId } = await context.create();
      assert.equal((await context.storage.count()).logins, 1);
      await context.sweep();
      await counts(1, 1);
      await context.storage.end({ ...ending, sessionId });
      await counts(0, 0);
    });

    it('no rotation, write or touch changes the counts', async () => {
      const [first] = [await context.create(), await context.create(), await context.create({ loginId: 'bob' })];
      const payload = Buffer.from('new');
      const change = { expectedVersion: 1, by: 'tester' };
      const successor = { sessionId: context.storage.nextSessionId('alice'), payload };
      const rotation = { ...change, successor, graceMs: context.times.grace, historyRetentionMs: retention };
      await context.storage.rotate({ ...rotation, sessionId: first.sessionId });
      await counts(3, 2);
      await context.storage.rotate({ ...rotation, sessionId: first.sessionId });
      await context.storage.replace({ ...change, sessionId: successor.sessionId, payload, touch: true });
      await context.storage.touch([first.sessionId, successor.sessionId]);
      await counts(3, 2);
    });

    it('a user whose only session was rotated counts until the successor ends', async () => {
      const { sessionId } = await context.create();
      const successor = { sessionId: context.storage.nextSessionId('alice'), payload: Buffer.from('new') };
      const rotation = { sessionId, expectedVersion: 1, successor, graceMs: 0, by: 'tester' };
      await context.storage.rotate({ ...rotation, historyRetentionMs: retention });
      await counts(1, 1);
      await context.storage.end({ ...ending, sessionId });
      await counts(1, 1);
      await context.storage.end({ ...ending, sessionId: successor.sessionId });
      await counts(0, 0);
    });

    it('the counts are exact after many concurrent logins and logouts', async () => {
      const loginIds = Array.from({ length: 60 }, (_, n) => `login-${n % 12}`);
      const created = await Promise.all(loginIds.map((loginId) => context.create({ loginId })));
      await counts(60, 12);
      const threeOfEach = created.slice(0, 36);
      await Promise.all([
        ...threeOfEach.map(({ sessionId }) => context.storage.end({ ...ending, sessionId })),
        ...['login-0', 'login-1', 'login-0'].map((loginId) => context.storage.endAll({ ...ending, loginId })),
      ]);
      await counts(20, 10);
    });

    if (context.capabilities.severalInstances) {
      it('all instances return the same counts, whichever of them creates and ends', async () => {
        const other = await context.another();
        const [here, there] = [await context.create(), await context.create({}, other)];
        await context.create({ loginId: 'bob' }, other);
        for (const storage of [context.storage, other]) await counts(3, 2, storage);
        await other.end({ ...ending, sessionId: here.sessionId });
        for (const storage of [context.storage, other]) await counts(2, 2, storage);
        await context.storage.end({ ...ending, sessionId: there.sessionId });
        for (const storage of [context.storage, other]) await counts(1, 1, storage);
      });
    }
  });
}
