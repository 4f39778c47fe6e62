import assert from 'node:assert/strict';
import { rejectsWith } from '../assertions.js';
import type { StorageContext } from '../storage-context.js';

/** Concurrent calls through several managers, as of several services. */
export function describeConcurrency(context: StorageContext): void {
  const { it } = context.runner;
  const five = async () =>
    Promise.all(Array.from({ length: 5 }, (_, n) => context.manager({ serviceId: `service-${n}` })));

  context.topic('concurrency', () => {
    it('one manager keeps all of 50 attributes that are set concurrently', async () => {
      const sessions = await context.manager();
      const { sessionId } = await sessions.createSession('alice');
      await Promise.all(Array.from({ length: 50 }, (_, n) => sessions.setAttribute(sessionId, `key-${n}`, n)));
      const { attributes } = await sessions.getSession(sessionId);
      assert.equal(Object.keys(attributes).length, 50);
      for (let n = 0; n < 50; n++) assert.equal(attributes[`key-${n}`], n);
    });

    it('five managers keep all of 50 attributes that they set concurrently', async () => {
      const services = await five();
      const { sessionId } = await services[0]!.createSession('alice');
      await Promise.all(
        Array.from({ length: 50 }, (_, n) => services[n % 5]!.setAttribute(sessionId, `key-${n}`, { by: n })),
      );
      const { attributes } = await services[1]!.getSession(sessionId);
      assert.deepEqual(Object.keys(attributes).length, 50);
      for (let n = 0; n < 50; n++) assert.deepEqual(attributes[`key-${n}`], { by: n });
    });

    it('concurrent setAttribute() and removeAttribute() of different keys do not undo each other', async () => {
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

    it('50 concurrent logins of one user are all listed, and none verifies after deleteAllSessions()', async () => {
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

    it("getSessionsByLoginId() returns the user's own live sessions, however many end while it lists", async () => {
      const sessions = await context.manager();
      const attributes = { large: 'x'.repeat(16_000) };
      const created: string[] = [];
      for (let n = 0; n < 12; n++) {
        created.push((await sessions.createSession('alice', undefined, { attributes })).sessionId);
        await sessions.createSession('bob', undefined, { attributes });
      }
      const [listed, count] = await Promise.all([
        sessions.getSessionsByLoginId('alice'),
        sessions.countSessions('alice'),
        ...created.slice(4).map((sessionId) => sessions.deleteSession(sessionId)),
      ]);
      assert(listed.length >= 4 && count >= 4);
      const ids = listed.map(({ sessionId }) => sessionId);
      assert.deepEqual(
        ids,
        created.filter((sessionId) => ids.includes(sessionId)),
      );
      for (const session of listed) {
        assert.equal(session.loginId, 'alice');
        assert.deepEqual({ ...session.attributes }, attributes);
      }
      assert.equal(await sessions.countSessions('alice'), 4);
    });

    it('five managers keep to the limit per user in 50 concurrent logins', async () => {
      const options = { maxSessionsPerLogin: 3, onLimit: 'end-oldest' } as const;
      const services = await Promise.all(
        Array.from({ length: 5 }, (_, n) => context.manager({ ...options, serviceId: `s${n}` })),
      );
      const created = await Promise.all(Array.from({ length: 50 }, (_, n) => services[n % 5]!.createSession('alice')));
      const results = await Promise.allSettled(created.map(({ credential }) => services[0]!.verifySession(credential)));
      assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 3);
    });

    it('of five concurrent updates at one version, exactly one succeeds', async () => {
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

    it('an attribute that is set during a rotation reaches the new session', async () => {
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

    it('interleaved reads of 20 sessions return each its own', async () => {
      const sessions = await context.manager({ idleTimeoutMs: 3_600_000, absoluteTimeoutMs: null });
      const created = await Promise.all(
        Array.from({ length: 20 }, (_, n) => sessions.createSession(`user-${n}`, undefined, { attributes: { n } })),
      );
      await Promise.all(
        Array.from({ length: 40 }, async (_, reader) => {
          for (let turn = 0; turn < 25; turn++) {
            const n = (reader + turn) % 20;
            const session = await sessions.verifySession(created[n]!.credential);
            assert.deepEqual([session.loginId, session.attributes['n']], [`user-${n}`, n]);
          }
        }),
      );
    });
  });
}
