import assert from 'node:assert/strict';
import { rejectsWith } from '../assertions.js';
import type { StorageContext } from '../storage-context.js';

/** Rotation: the new credential, and the grace period of the old one. */
export function describeManagedRotation(context: StorageContext): void {
  const { it } = context.runner;
  const { grace } = context.times;

  context.topic('rotation', () => {
    it('a rotated credential is valid for the new session during the grace period, and invalid afterwards', async () => {
      const sessions = await context.manager({ rotationGraceMs: grace });
      const old = await sessions.createSession('alice', undefined, { attributes: { role: 'admin' } });
      const rotated = await sessions.rotateSession(old.sessionId);
      assert.notEqual(rotated.sessionId, old.sessionId);
      assert.deepEqual({ ...rotated.attributes }, { role: 'admin' });
      assert.equal(rotated.absoluteExpiresAt, old.absoluteExpiresAt);
      assert.equal((await sessions.verifySession(rotated.credential)).sessionId, rotated.sessionId);
      assert.equal((await sessions.verifySession(old.credential)).sessionId, rotated.sessionId);
      await rejectsWith(sessions.verifySession(`${old.sessionId}.${rotated.token}`), 'ERR_SESSION_NOT_FOUND');
      await rejectsWith(sessions.verifySession(`${rotated.sessionId}.${old.token}`), 'ERR_SESSION_NOT_FOUND');
      await rejectsWith(sessions.getSession(old.sessionId), 'ERR_SESSION_ENDED', { rotatedTo: rotated.sessionId });
      await context.pass(grace + 1);
      await rejectsWith(sessions.verifySession(old.credential), 'ERR_SESSION_ENDED', { reason: 'rotated' });
    });

    it('without a grace period, a rotated credential is invalid immediately', async () => {
      const sessions = await context.manager({ rotationGraceMs: 0 });
      const old = await sessions.createSession('alice');
      await sessions.rotateSession(old.sessionId);
      await rejectsWith(sessions.verifySession(old.credential), 'ERR_SESSION_ENDED', { reason: 'rotated' });
    });

    it('a credential stays valid through several rotations, and deleteSession() ends the last one', async () => {
      const sessions = await context.manager();
      const first = await sessions.createSession('alice');
      const second = await sessions.rotateSession(first.sessionId);
      const third = await sessions.rotateSession(second.sessionId);
      assert.equal((await sessions.verifySession(first.credential)).sessionId, third.sessionId);
      assert.equal(await sessions.deleteSession(first.sessionId), true);
      for (const { credential } of [first, second, third]) {
        await rejectsWith(sessions.verifySession(credential), 'ERR_SESSION_ENDED', { reason: 'logged-out' });
      }
    });

    it('deleteAllSessions() with a rotated id as the exception keeps its successor live', async () => {
      const sessions = await context.manager();
      const [mine, other] = [await sessions.createSession('alice'), await sessions.createSession('alice')];
      const rotated = await sessions.rotateSession(mine.sessionId);
      assert.equal(await sessions.deleteAllSessions('alice', { exceptSessionId: mine.sessionId }), 1);
      assert.equal((await sessions.verifySession(rotated.credential)).sessionId, rotated.sessionId);
      await rejectsWith(sessions.verifySession(other.credential), 'ERR_SESSION_ENDED', { reason: 'logged-out' });
    });

    it('of 10 concurrent rotations, one succeeds and the others are rejected with its successor', async () => {
      const sessions = await context.manager();
      const { sessionId } = await sessions.createSession('alice');
      const results = await Promise.allSettled(Array.from({ length: 10 }, () => sessions.rotateSession(sessionId)));
      const won = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
      assert.equal(won.length, 1);
      const lost = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as object] : []));
      for (const error of lost) {
        const { code, reason, rotatedTo } = error as Record<string, unknown>;
        assert.deepEqual([code, reason, rotatedTo], ['ERR_SESSION_ENDED', 'rotated', won[0]!.sessionId]);
      }
      assert.equal(await sessions.countSessions('alice'), 1);
    });
  });
}
