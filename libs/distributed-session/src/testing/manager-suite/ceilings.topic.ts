import assert from 'node:assert/strict';
import type { CreateSessionOptions } from '../../session/session-input.js';
import { rejectsWith } from '../assertions.js';
import type { StorageContext } from '../storage-context.js';

/** The operator's limits and timeouts, which no service exceeds. */
export function describeCeilings(context: StorageContext): void {
  const { it } = context.runner;

  context.topic('ceilings', () => {
    it('a login ends the oldest sessions at a limit only for a service with session.delete', async () => {
      const sessions = await context.manager({ maxSessionsPerLogin: 2, maxSessionsPerDevice: 1 });
      const as = (...permissions: string[]) => sessions.as({ serviceId: 'guest', permissions });
      const [phone, web] = [{ device: 'phone' }, { device: 'web' }];
      const oldest = await sessions.createSession('bob', undefined, phone);
      const creator = as('session.create', 'session.read', 'session.write', 'session.list');
      const missing = { permission: 'session.delete' };
      const perDevice = creator.createSession('bob', undefined, phone);
      await rejectsWith(perDevice, 'ERR_SESSION_LIMIT', { limit: 1, device: 'phone', ...missing });
      await creator.createSession('bob', undefined, web);
      const perLogin = await rejectsWith(creator.createSession('bob'), 'ERR_SESSION_LIMIT', { limit: 2, ...missing });
      assert.match(perLogin.message, /End one first, or grant the service 'session\.delete'/);
      assert.equal((await sessions.getSession(oldest.sessionId)).version, 1);
      await as('session.create', 'session.delete').createSession('bob', undefined, phone);
      await as('session.*').createSession('bob');
      const history = await sessions.getSessionHistory('bob');
      assert.deepEqual(new Set(history.map(({ reason }) => reason)), new Set(['limit', 'replaced']));
      assert(history.every(({ endedBy }) => endedBy === 'guest'));
    });

    it('with end-idlest, a login ends the session that was read least recently, for a service with session.delete', async () => {
      const options = { maxSessionsPerLogin: 3, onLimit: 'end-idlest', touchIntervalMs: 1 } as const;
      const sessions = await context.manager(options);
      const [first, second, third] = [
        await sessions.createSession('bob'),
        await sessions.createSession('bob'),
        await sessions.createSession('bob'),
      ];
      await context.pass(5);
      for (const { sessionId } of [third, first]) await sessions.getSession(sessionId);
      const creator = sessions.as({ serviceId: 'guest', permissions: ['session.create'] });
      const refused = { limit: 3, permission: 'session.delete' };
      await rejectsWith(creator.createSession('bob'), 'ERR_SESSION_LIMIT', refused);
      await sessions.as({ serviceId: 'guest', permissions: ['session.*'] }).createSession('bob');
      await rejectsWith(sessions.getSession(second.sessionId), 'ERR_SESSION_ENDED', {
        reason: 'limit',
        endedBy: 'guest',
      });
      assert.equal(await sessions.countSessions('bob'), 3);
    });

    it('50 concurrent logins of a service without session.delete end no session and stay within the limit', async () => {
      const sessions = await context.manager({ maxSessionsPerLogin: 3 });
      const first = await sessions.createSession('bob');
      const creator = sessions.as({ serviceId: 'guest', permissions: ['session.create'] });
      const logins = await Promise.allSettled(Array.from({ length: 50 }, () => creator.createSession('bob')));
      assert.equal(logins.filter(({ status }) => status === 'fulfilled').length, 2);
      assert.equal(await sessions.countSessions('bob'), 3);
      assert.deepEqual(await sessions.getSessionHistory('bob'), []);
      assert.equal((await sessions.verifySession(first.credential)).sessionId, first.sessionId);
    });

    it('no caller exceeds the timeouts of the operator, which the error names', async () => {
      const sessions = await context.manager({
        idleTimeoutMs: undefined,
        absoluteTimeoutMs: undefined,
        timeoutPreset: 'owaspHighValue',
      });
      const [idle, absolute] = [5 * 60_000, 4 * 3_600_000];
      for (const caller of [sessions, sessions.as({ serviceId: 'guest', permissions: ['session.create'] })]) {
        const create = (options: CreateSessionOptions) => caller.createSession('bob', undefined, options);
        for (const given of [null, idle + 1, 10 * 365 * 86_400_000]) {
          const fields = { field: 'idleTimeoutMs', constraint: 'range', limit: idle };
          await rejectsWith(create({ idleTimeoutMs: given }), 'ERR_SESSION_INPUT', fields);
          await rejectsWith(create({ idleTimeoutMs: given, absoluteTimeoutMs: absolute }), 'ERR_SESSION_INPUT', fields);
        }
        for (const given of [null, absolute + 1]) {
          const fields = { field: 'absoluteTimeoutMs', constraint: 'range', limit: absolute };
          await rejectsWith(create({ absoluteTimeoutMs: given }), 'ERR_SESSION_INPUT', fields);
          await rejectsWith(create({ absoluteTimeoutMs: given, idleTimeoutMs: 1 }), 'ERR_SESSION_INPUT', fields);
        }
        const { createdAt, ...created } = await create({ idleTimeoutMs: idle, absoluteTimeoutMs: absolute });
        assert.deepEqual([created.idleTimeoutMs, created.absoluteExpiresAt], [idle, createdAt + absolute]);
      }
      assert.equal(await sessions.countSessions('bob'), 2);
    });

    it('a ceiling that the operator raises admits longer sessions up to it', async () => {
      const sessions = await context.manager({ maxIdleTimeoutMs: 7_200_000, maxAbsoluteTimeoutMs: null });
      const { idleTimeoutMs, absoluteExpiresAt } = await sessions.createSession('bob', undefined, {
        idleTimeoutMs: 7_200_000,
        absoluteTimeoutMs: null,
      });
      assert.deepEqual([idleTimeoutMs, absoluteExpiresAt], [7_200_000, undefined]);
      const longer = sessions.createSession('bob', undefined, { idleTimeoutMs: 7_200_001 });
      await rejectsWith(longer, 'ERR_SESSION_INPUT', { field: 'idleTimeoutMs', limit: 7_200_000 });
    });
  });
}
