import assert from 'node:assert/strict';
import { rejectsWith } from '../assertions.js';
import type { StorageTestContext } from '../storage-test-context.js';

/** Many at once, through several managers, as several services would be. */
export function describeConcurrency(context: StorageTestContext): void {
  const { it, describe } = context.runner;
  const five = async () =>
    Promise.all(Array.from({ length: 5 }, (_, n) => context.manager({ serviceId: `service-${n}` })));

  describe('concurrency', () => {
    it('keeps all of 50 attributes that are set at once', async () => {
      const sessions = await context.manager();
      const { sessionId } = await sessions.createSession('alice');
      await Promise.all(Array.from({ length: 50 }, (_, n) => sessions.setAttribute(sessionId, `key-${n}`, n)));
      const { attributes } = await sessions.getSession(sessionId);
      assert.equal(Object.keys(attributes).length, 50);
      for (let n = 0; n < 50; n++) assert.equal(attributes[`key-${n}`], n);
    });

    it('keeps all of 50 attributes that five services set at once', async () => {
      const services = await five();
      const { sessionId } = await services[0]!.createSession('alice');
      await Promise.all(
        Array.from({ length: 50 }, (_, n) => services[n % 5]!.setAttribute(sessionId, `key-${n}`, { by: n })),
      );
      const { attributes } = await services[1]!.getSession(sessionId);
      assert.deepEqual(Object.keys(attributes).length, 50);
      for (let n = 0; n < 50; n++) assert.deepEqual(attributes[`key-${n}`], { by: n });
    });

    it('removals and settings of different keys at once do not undo each other', async () => {
      const services = await five();
      const before = Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`old-${n}`, n]));
      const { sessionId } = await services[0]!.createSession('alice', undefined, { attributes: before });
      await Promise.all([
        ...Array.from({ length: 20 }, (_, n) => services[n % 5]!.removeAttribute(sessionId, `old-${n}`)),
        ...Array.from({ length: 20 }, (_, n) => services[(n + 2) % 5]!.setAttribute(sessionId, `new-${n}`, n)),
      ]);
      const { attributes } = await services[0]!.getSession(sessionId);
      assert.deepEqual(new Set(Object.keys(attributes)), new Set(Array.from({ length: 20 }, (_, n) => `new-${n}`)));
    });

    it('lists all of 50 logins of one user at once; ending all leaves none that verifies', async () => {
      const services = await five();
      const created = await Promise.all(Array.from({ length: 50 }, (_, n) => services[n % 5]!.createSession('alice')));
      const listed = await services[0]!.getSessionsByLoginId('alice');
      assert.deepEqual(
        new Set(listed.map(({ sessionId }) => sessionId)),
        new Set(created.map(({ sessionId }) => sessionId)),
      );
      assert.equal(await services[1]!.deleteAllSessions('alice'), 50);
      for (const [n, { credential }] of created.entries()) {
        await rejectsWith(services[n % 5]!.verifySession(credential), 'ERR_SESSION_ENDED', { reason: 'logged-out' });
      }
      assert.equal((await services[2]!.getSessionHistory('alice')).length, 50);
    });

    it('holds the limit per user when five services log one user in 50 times', async () => {
      const options = { maxSessionsPerLogin: 3, onLimit: 'end-oldest' } as const;
      const services = await Promise.all(
        Array.from({ length: 5 }, (_, n) => context.manager({ ...options, serviceId: `s${n}` })),
      );
      const created = await Promise.all(Array.from({ length: 50 }, (_, n) => services[n % 5]!.createSession('alice')));
      const results = await Promise.allSettled(created.map(({ credential }) => services[0]!.verifySession(credential)));
      assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 3);
    });

    it('of updates of one version at once exactly one is taken', async () => {
      const services = await five();
      const read = await services[0]!.createSession('alice');
      const results = await Promise.allSettled(
        services.map((sessions, n) => sessions.updateSession({ ...read, attributes: { winner: n } })),
      );
      assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1);
      for (const result of results) {
        if (result.status === 'rejected')
          assert.equal((result.reason as { code: string }).code, 'ERR_SESSION_CONFLICT');
      }
    });

    it('a write that crosses a rotation reaches the new session', async () => {
      const services = await five();
      const { sessionId } = await services[0]!.createSession('alice');
      const [rotated, ...written] = await Promise.all([
        services[0]!.rotateSession(sessionId),
        ...Array.from({ length: 20 }, (_, n) => services[n % 5]!.setAttribute(sessionId, `key-${n}`, n)),
      ]);
      assert.equal(written.length, 20);
      const { attributes } = await services[0]!.getSession(rotated.sessionId);
      assert.equal(Object.keys(attributes).length, 20);
    });

    it('interleaved readers of many sessions each get their own', async () => {
      const sessions = await context.manager({ idleTimeoutMs: 3_600_000, absoluteTimeoutMs: null });
      const created = await Promise.all(
        Array.from({ length: 20 }, (_, n) => sessions.createSession(`user-${n}`, undefined, { attributes: { n } })),
      );
      await Promise.all(
        Array.from({ length: 10_000 }, async (_, request) => {
          const n = request % 20;
          const session = await sessions.verifySession(created[n]!.credential);
          assert.deepEqual([session.loginId, session.attributes['n']], [`user-${n}`, n]);
        }),
      );
    });
  });
}
