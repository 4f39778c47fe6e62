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

    it('rotateSession() with graceMs 0 ends the old credential, and those before it, at once', async () => {
      const sessions = await context.manager({ rotationGraceMs: grace });
      const first = await sessions.createSession('alice');
      const second = await sessions.rotateSession(first.credential);
      assert.equal((await sessions.verifySession(first.credential)).sessionId, second.sessionId);
      const third = await sessions.rotateSession(second.credential, { graceMs: 0 });
      for (const { credential } of [first, second]) {
        await rejectsWith(sessions.verifySession(credential), 'ERR_SESSION_ENDED', { reason: 'rotated' });
      }
      assert.equal((await sessions.verifySession(third.credential)).sessionId, third.sessionId);
    });

    it('rotateSession() shortens the grace period of the operator, and never extends it', async () => {
      const sessions = await context.manager({ rotationGraceMs: grace });
      const old = await sessions.createSession('alice');
      for (const graceMs of [grace + 1, 2 ** 31, -1, 0.5, NaN, Infinity, '0', null]) {
        const extended = sessions.rotateSession(old.credential, { graceMs: graceMs as number });
        await rejectsWith(extended, 'ERR_SESSION_INPUT', { field: 'graceMs', constraint: 'range', limit: grace });
      }
      const rotated = await sessions.rotateSession(old.credential, { graceMs: grace - 1 });
      assert.equal((await sessions.verifySession(old.credential)).sessionId, rotated.sessionId);
      await context.pass(grace);
      await rejectsWith(sessions.verifySession(old.credential), 'ERR_SESSION_ENDED', { reason: 'rotated' });
    });

    it('rotateSession() with a wrong token is rejected like verifySession(), and changes nothing', async () => {
      const sessions = await context.manager();
      const [old, other] = [await sessions.createSession('alice'), await sessions.createSession('alice')];
      const unknown = `00000000-0000-4000-8000-000000000000.${old.token}`;
      for (const credential of [`${old.sessionId}.${other.token}`, `${old.sessionId}.${old.token}x`, unknown]) {
        const [sessionId] = credential.split('.');
        await rejectsWith(sessions.verifySession(credential), 'ERR_SESSION_NOT_FOUND', { sessionId });
        await rejectsWith(sessions.rotateSession(credential), 'ERR_SESSION_NOT_FOUND', { sessionId });
      }
      for (const credential of [`${old.sessionId}.`, `.${old.token}`, { sessionId: old.sessionId }, undefined]) {
        const malformed = sessions.rotateSession(credential as never);
        await rejectsWith(malformed, 'ERR_SESSION_INPUT', { field: 'credential' });
      }
      assert.equal((await sessions.getSession(old.sessionId)).version, 1);
    });

    it('a previous credential reads the session during the grace period, but does not rotate it', async () => {
      const sessions = await context.manager();
      const old = await sessions.createSession('alice');
      const { sessionId } = await sessions.rotateSession({ sessionId: old.sessionId, token: old.token });
      const again = sessions.rotateSession(old.credential);
      await rejectsWith(again, 'ERR_SESSION_ENDED', { reason: 'rotated', rotatedTo: sessionId });
      assert.equal((await sessions.verifySession(old.credential)).sessionId, sessionId);
    });

    it('a service with session.create rotates by credential only', async () => {
      const sessions = await context.manager();
      const { sessionId, credential } = await sessions.createSession('alice');
      const creator = sessions.as({ serviceId: 'creator', permissions: ['session.create', 'session.read'] });
      const missing = { permission: 'session.impersonate' };
      await rejectsWith(creator.rotateSession(sessionId), 'ERR_SERVICE_PERMISSION', missing);
      await rejectsWith(creator.rotateSession(sessionId, { actor: 'x' }), 'ERR_SERVICE_PERMISSION', missing);
      const rotated = await creator.rotateSession(credential, { actor: 'alice' });
      assert.equal(rotated.loginId, 'alice');
      const [entry] = await sessions.getSessionHistory('alice');
      assert.deepEqual([entry?.endedBy, entry?.actor], ['creator', 'alice']);
    });

    it('a rotation by id records the service and the actor, who is required of a limited service', async () => {
      const sessions = await context.manager();
      const { sessionId } = await sessions.createSession('alice');
      const support = sessions.as({ serviceId: 'support', permissions: ['session.impersonate'] });
      const anonymous = support.rotateSession(sessionId, { graceMs: 0 });
      await rejectsWith(anonymous, 'ERR_SESSION_INPUT', { field: 'actor', constraint: 'empty' });
      const rotated = await support.rotateSession(sessionId, { graceMs: 0, actor: 'zoë@example.com' });
      await rejectsWith(support.rotateSession(rotated.credential), 'ERR_SERVICE_PERMISSION', {
        permission: 'session.create',
      });
      const [entry] = await sessions.getSessionHistory('alice');
      assert.deepEqual([entry?.endedBy, entry?.actor, entry?.reason], ['support', 'zoë@example.com', 'rotated']);
      const administrator = sessions.as({ serviceId: 'administrator', permissions: ['*'] });
      assert.equal((await administrator.rotateSession(rotated.sessionId)).loginId, 'alice');
    });

    it('no chain of rotations moves the absolute end', async () => {
      const sessions = await context.manager();
      const first = await sessions.createSession('alice');
      let { credential } = first;
      for (let rotation = 0; rotation < 5; rotation++) {
        await context.pass(1);
        const rotated = await sessions.rotateSession(credential, { graceMs: 0 });
        await sessions.refreshSession(rotated.sessionId);
        assert.equal(rotated.absoluteExpiresAt, first.absoluteExpiresAt);
        assert.equal(rotated.createdAt, first.createdAt);
        ({ credential } = rotated);
      }
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

    it('of 50 concurrent rotations, one succeeds and the others are rejected with its successor', async () => {
      const sessions = await context.manager();
      const { sessionId, credential } = await sessions.createSession('alice');
      const rotate = (_: unknown, index: number) => sessions.rotateSession(index % 2 === 0 ? credential : sessionId);
      const results = await Promise.allSettled(Array.from({ length: 50 }, rotate));
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
