import assert from 'node:assert/strict';
import type { SessionEvent } from '../../session/session-event.js';
import { rejectsWith } from '../assertions.js';
import { type StorageTestContext, until } from '../storage-test-context.js';

/** Sessions under the manager: credentials, timeouts, devices, logout and history. */
export function describeManagedSessions(context: StorageTestContext): void {
  const { it, describe } = context.runner;
  const { idle, absolute, grace } = context.times;
  const missingId = () => context.storage.nextSessionId('alice');

  describe('managed sessions', () => {
    it('creates a session whose credential proves it', async () => {
      const sessions = await context.manager();
      const created = await sessions.createSession('alice', undefined, { device: 'web', client: { ip: '::1' } });
      assert.equal(created.credential, `${created.sessionId}.${created.token}`);
      const verified = await sessions.verifySession(created.credential);
      assert.deepEqual(
        [verified.sessionId, verified.loginId, verified.serviceId],
        [created.sessionId, 'alice', 'tester'],
      );
      assert.deepEqual([verified.device, verified.client], ['web', { ip: '::1' }]);
      assert.equal((await sessions.getSession(created.sessionId)).loginId, 'alice');
    });

    it('makes tokens of 256 bits that tell nothing and never repeat', async () => {
      const sessions = await context.manager();
      const tokens = await Promise.all(
        Array.from({ length: 20 }, async () => (await sessions.createSession('alice')).token),
      );
      for (const token of tokens) {
        const bytes = Buffer.from(token, 'base64url');
        assert.equal(bytes.length, 32);
        assert(!bytes.toString('latin1').includes('alice'));
      }
      assert.equal(new Set(tokens).size, tokens.length);
    });

    it('takes a token of the caller, and only that one proves the session', async () => {
      const sessions = await context.manager();
      const { sessionId } = await sessions.createSession('alice', 'eyJhbGciOi.J9.own-token');
      assert.equal(
        (await sessions.verifySession({ sessionId, token: 'eyJhbGciOi.J9.own-token' })).sessionId,
        sessionId,
      );
      await rejectsWith(sessions.verifySession(`${sessionId}.other-token`), 'ERR_SESSION_NOT_FOUND');
    });

    it('gives a wrong token and an unknown session the same answer, and creates nothing', async () => {
      const sessions = await context.manager();
      const { sessionId, token } = await sessions.createSession('alice');
      const unknown = missingId();
      const wrong = await rejectsWith(sessions.verifySession(`${sessionId}.x${token}`), 'ERR_SESSION_NOT_FOUND');
      const missing = await rejectsWith(sessions.verifySession(`${unknown}.${token}`), 'ERR_SESSION_NOT_FOUND');
      assert.equal(wrong.message.replace(sessionId, ''), missing.message.replace(unknown, ''));
      assert.equal(await sessions.countSessions(), 1);
    });

    it('a session that never was is SessionNotFound, and deleting it is no error', async () => {
      const sessions = await context.manager();
      const sessionId = missingId();
      await rejectsWith(sessions.getSession(sessionId), 'ERR_SESSION_NOT_FOUND', { sessionId });
      await rejectsWith(sessions.refreshSession(sessionId), 'ERR_SESSION_NOT_FOUND');
      await rejectsWith(sessions.rotateSession(sessionId), 'ERR_SESSION_NOT_FOUND');
      assert.equal(await sessions.findSession(sessionId), undefined);
      assert.equal(await sessions.deleteSession(sessionId), false);
      assert.equal(await sessions.kickOut(sessionId), false);
    });

    it('a session that has ended is refused with the reason, and its late use is reported', async () => {
      const sessions = await context.manager();
      const events: SessionEvent[] = [];
      sessions.events.on('session.refused').subscribe((event) => events.push(event));
      const { sessionId, credential } = await sessions.createSession('alice');
      assert.equal(await sessions.kickOut(sessionId, { actor: 'root' }), true);
      const fields = { reason: 'kicked-out', endedBy: 'tester', sessionId };
      await rejectsWith(sessions.verifySession(credential), 'ERR_SESSION_ENDED', fields);
      await rejectsWith(sessions.getSession(sessionId), 'ERR_SESSION_ENDED', fields);
      await rejectsWith(sessions.refreshSession(sessionId), 'ERR_SESSION_ENDED', fields);
      assert.equal(await sessions.findSession(sessionId), undefined);
      assert.equal(await sessions.deleteSession(sessionId), false);
      assert.deepEqual(
        events.map((event) => 'sessionId' in event && [event.sessionId, event.by]),
        [[sessionId, 'tester']],
      );
    });

    it('reading keeps a session alive, looking without a touch does not', async () => {
      const sessions = await context.manager({ ...context.brief, absoluteTimeoutMs: null });
      const [used, watched] = [await sessions.createSession('alice'), await sessions.createSession('bob')];
      for (let n = 0; n < 5; n++) {
        await context.pass(idle * 0.4);
        const before = (await sessions.getSession(used.sessionId)).lastAccessedAt;
        await sessions.findSession(watched.sessionId, { touch: false });
        await sessions.getSessionsByLoginId('bob');
        await until(async () => (await context.storage.listByLogin('alice'))[0]!.lastAccessedAt > before, 'the touch');
      }
      assert.equal((await sessions.verifySession(used.credential)).sessionId, used.sessionId);
      await rejectsWith(sessions.verifySession(watched.credential), 'ERR_SESSION_ENDED', { reason: 'idle-timeout' });
    });

    it('refreshing records an access at once and never moves the absolute end', async () => {
      const sessions = await context.manager({ ...context.brief, touchIntervalMs: 1_000_000_000 });
      const created = await sessions.createSession('alice');
      await context.pass(idle / 2);
      const refreshed = await sessions.refreshSession(created.sessionId);
      assert(refreshed.lastAccessedAt > created.lastAccessedAt && refreshed.expiresAt > created.expiresAt);
      assert.equal(refreshed.absoluteExpiresAt, created.createdAt + absolute);
      assert.equal(refreshed.version, 1);
    });

    it('each session keeps the timeouts that it was created with', async () => {
      const sessions = await context.manager({
        idleTimeoutMs: undefined,
        absoluteTimeoutMs: undefined,
        timeoutPreset: 'aal1',
      });
      const preset = await sessions.createSession('alice');
      assert.equal(preset.idleTimeoutMs, undefined);
      assert.equal(preset.expiresAt, preset.createdAt + 30 * 24 * 3_600_000);
      const own = await sessions.createSession('alice', undefined, { idleTimeoutMs: idle, absoluteTimeoutMs: null });
      assert.deepEqual([own.idleTimeoutMs, own.absoluteExpiresAt], [idle, undefined]);
      await context.pass(idle + 1);
      await rejectsWith(sessions.getSession(own.sessionId), 'ERR_SESSION_ENDED', { reason: 'idle-timeout' });
      assert.equal((await sessions.getSession(preset.sessionId)).sessionId, preset.sessionId);
    });

    it('lists the devices of a user, ends one, then the others, then all', async () => {
      const sessions = await context.manager();
      const [web, phone, desktop] = [
        await sessions.createSession('alice', undefined, { device: 'web' }),
        await sessions.createSession('alice', undefined, { device: 'mobile' }),
        await sessions.createSession('alice', undefined, { device: 'desktop' }),
      ];
      const devices = async () => (await sessions.getSessionsByLoginId('alice')).map(({ device }) => device);
      assert.deepEqual(await devices(), ['web', 'mobile', 'desktop']);
      assert.equal(await sessions.kickOut(phone.sessionId), true);
      assert.deepEqual(await devices(), ['web', 'desktop']);
      assert.equal(await sessions.deleteAllSessions('alice', { exceptSessionId: web.sessionId }), 1);
      assert.deepEqual(await devices(), ['web']);
      assert.equal(await sessions.deleteAllSessions('alice', { device: 'desktop' }), 0);
      assert.equal(await sessions.deleteAllSessions('alice', { reason: 'revoked' }), 1);
      assert.equal(await sessions.countSessions('alice'), 0);
      assert.deepEqual(
        new Map((await sessions.getSessionHistory('alice')).map(({ sessionId, reason }) => [sessionId, reason])),
        new Map([
          [web.sessionId, 'revoked'],
          [desktop.sessionId, 'logged-out'],
          [phone.sessionId, 'kicked-out'],
        ]),
      );
    });

    it('rejects a login beyond the limit with the limit that was met', async () => {
      const sessions = await context.manager({ maxSessionsPerLogin: 2, maxSessionsPerDevice: 1, onLimit: 'reject' });
      await sessions.createSession('alice', undefined, { device: 'web' });
      const again = sessions.createSession('alice', undefined, { device: 'web' });
      await rejectsWith(again, 'ERR_SESSION_LIMIT', { limit: 1, device: 'web' });
      await sessions.createSession('alice');
      await rejectsWith(sessions.createSession('alice'), 'ERR_SESSION_LIMIT', { limit: 2, device: undefined });
    });

    it('a rotated credential reads the new session during the grace and nothing afterwards', async () => {
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

    it('without a grace the old credential is dead at once', async () => {
      const sessions = await context.manager({ rotationGraceMs: 0 });
      const old = await sessions.createSession('alice');
      await sessions.rotateSession(old.sessionId);
      await rejectsWith(sessions.verifySession(old.credential), 'ERR_SESSION_ENDED', { reason: 'rotated' });
    });

    it('follows a credential through several rotations, and a logout ends it wherever it is', async () => {
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

    it('ends all others by an id that was just rotated without ending its successor', async () => {
      const sessions = await context.manager();
      const [mine, other] = [await sessions.createSession('alice'), await sessions.createSession('alice')];
      const rotated = await sessions.rotateSession(mine.sessionId);
      assert.equal(await sessions.deleteAllSessions('alice', { exceptSessionId: mine.sessionId }), 1);
      assert.equal((await sessions.verifySession(rotated.credential)).sessionId, rotated.sessionId);
      await rejectsWith(sessions.verifySession(other.credential), 'ERR_SESSION_ENDED', { reason: 'logged-out' });
    });

    it('of 10 rotations at once one wins, and the others get the same answer', async () => {
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

    it('tells who is online', async () => {
      const sessions = await context.manager();
      for (const loginId of ['alice', 'bob', 'carol', 'alice']) await sessions.createSession(loginId);
      const first = await sessions.listLogins({ limit: 2 });
      const second = await sessions.listLogins({ limit: 2, cursor: first.nextCursor! });
      const online = [...first.logins, ...second.logins].map(({ loginId }) => loginId);
      assert.deepEqual(new Set(online), new Set(['alice', 'bob', 'carol']));
      assert.equal(await sessions.countSessions(), 4);
      assert.equal(await sessions.countSessions('alice'), 2);
      assert.deepEqual(await sessions.countOnline(), { sessions: 4, logins: 3 });
    });
  });
}
