import assert from 'node:assert/strict';
import type { SessionEvent } from '../../session/session-event.js';
import { rejectsWith, until } from '../assertions.js';
import type { StorageContext } from '../storage-context.js';

/** Sessions: credentials, timeouts, devices, logout and history. */
export function describeSessions(context: StorageContext): void {
  const { it } = context.runner;
  const { idle, absolute } = context.times;
  const missingId = () => context.storage.nextSessionId('alice');

  context.topic('sessions', () => {
    it('createSession() accepts whatever a browser sends as its user agent and address', async () => {
      const sessions = await context.manager();
      const client = { userAgent: `${'x'.repeat(1_023)}🦊🦊`, ip: '198.51.100.7, '.repeat(20) };
      const { sessionId } = await sessions.createSession('alice', undefined, { client });
      const stored = (await sessions.getSession(sessionId)).client;
      assert.deepEqual(stored, { ip: client.ip.slice(0, 64), userAgent: 'x'.repeat(1_023) });
      const silent = await sessions.createSession('alice', undefined, { client: { userAgent: '', ip: '\t' } });
      assert.equal(Object.hasOwn(await sessions.getSession(silent.sessionId), 'client'), false);
    });

    it('createSession() returns the credential that authenticates the session', async () => {
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

    it('generated tokens are unique, have 256 bits and reveal nothing', async () => {
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

    it('createSession() accepts a token of the caller, and no other one is valid', async () => {
      const sessions = await context.manager();
      const { sessionId } = await sessions.createSession('alice', 'eyJhbGciOi.J9.own-token-of-alice');
      assert.equal(
        (await sessions.verifySession({ sessionId, token: 'eyJhbGciOi.J9.own-token-of-alice' })).sessionId,
        sessionId,
      );
      await rejectsWith(sessions.verifySession(`${sessionId}.other-token`), 'ERR_SESSION_NOT_FOUND');
    });

    it('verifySession() rejects a wrong token and an unknown session with the same error', async () => {
      const sessions = await context.manager();
      const { sessionId, token } = await sessions.createSession('alice');
      const unknown = missingId();
      const wrong = await rejectsWith(sessions.verifySession(`${sessionId}.x${token}`), 'ERR_SESSION_NOT_FOUND');
      const missing = await rejectsWith(sessions.verifySession(`${unknown}.${token}`), 'ERR_SESSION_NOT_FOUND');
      assert.equal(wrong.message.replace(sessionId, ''), missing.message.replace(unknown, ''));
      assert.equal(await sessions.countSessions(), 1);
    });

    it('an unknown session is rejected as not found, and deleteSession() ignores it', async () => {
      const sessions = await context.manager();
      const sessionId = missingId();
      await rejectsWith(sessions.getSession(sessionId), 'ERR_SESSION_NOT_FOUND', { sessionId });
      await rejectsWith(sessions.refreshSession(sessionId), 'ERR_SESSION_NOT_FOUND');
      await rejectsWith(sessions.rotateSession(sessionId), 'ERR_SESSION_NOT_FOUND');
      assert.equal(await sessions.findSession(sessionId), undefined);
      assert.equal(await sessions.deleteSession(sessionId), false);
      assert.equal(await sessions.kickOut(sessionId), false);
    });

    it('an ended session is rejected with the reason, and its use emits session.refused', async () => {
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

    it('getSession() keeps a session alive, and reading without a touch does not', async () => {
      const sessions = await context.manager({ ...context.brief, absoluteTimeoutMs: null });
      const [used, watched] = [await sessions.createSession('alice'), await sessions.createSession('bob')];
      for (let n = 0; n < 5; n++) {
        await context.pass(idle * 0.4);
        const before = (await sessions.getSession(used.sessionId)).lastAccessedAt;
        await sessions.findSession(watched.sessionId, { touch: false });
        await sessions.getSessionsByLoginId('bob');
        await until(async () => (await context.live())[0]!.lastAccessedAt > before, 'the touch');
      }
      assert.equal((await sessions.verifySession(used.credential)).sessionId, used.sessionId);
      await rejectsWith(sessions.verifySession(watched.credential), 'ERR_SESSION_ENDED', { reason: 'idle-timeout' });
    });

    it('refreshSession() records an access immediately and never moves the absolute end', async () => {
      const sessions = await context.manager({ ...context.brief, touchIntervalMs: 1_000_000_000 });
      const created = await sessions.createSession('alice');
      await context.pass(idle / 2);
      const refreshed = await sessions.refreshSession(created.sessionId);
      assert(refreshed.lastAccessedAt > created.lastAccessedAt && refreshed.expiresAt > created.expiresAt);
      assert.equal(refreshed.absoluteExpiresAt, created.createdAt + absolute);
      assert.equal(refreshed.version, 1);
    });

    it('a session keeps the timeouts that it was created with', async () => {
      const sessions = await context.manager({
        idleTimeoutMs: undefined,
        absoluteTimeoutMs: undefined,
        timeoutPreset: 'aal1',
        maxAbsoluteTimeoutMs: null,
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

    it('a user can list devices, end one session, the others, and all', async () => {
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

    it('with reject, a login beyond a limit is rejected with that limit', async () => {
      const sessions = await context.manager({ maxSessionsPerLogin: 2, maxSessionsPerDevice: 1, onLimit: 'reject' });
      await sessions.createSession('alice', undefined, { device: 'web' });
      const again = sessions.createSession('alice', undefined, { device: 'web' });
      await rejectsWith(again, 'ERR_SESSION_LIMIT', { limit: 1, device: 'web' });
      await sessions.createSession('alice');
      await rejectsWith(sessions.createSession('alice'), 'ERR_SESSION_LIMIT', { limit: 2, device: undefined });
    });

    it('listLogins() and the counts show who is online', async () => {
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
