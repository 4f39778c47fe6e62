import assert from 'node:assert/strict';
import type { DistributedSessionManager } from '../../session/distributed-session.manager.js';
import { rejectsWith } from '../assertions.js';
import type { StorageContext } from '../storage-context.js';
import { startGuest } from './guest.js';

type Call = (sessions: DistributedSessionManager, sessionId: string) => Promise<unknown>;

const REQUIRED: [permission: string, name: string, call: Call][] = [
  ['session.create', 'createSession', (s) => s.createSession('bob')],
  ['session.create', 'rotateSession with a credential', (s, id) => s.rotateSession(`${id}.the-own-token-of-alice`)],
  ['session.impersonate', 'rotateSession with an id', (s, id) => s.rotateSession(id, { actor: 'root' })],
  ['session.read', 'getSession', (s, id) => s.getSession(id)],
  ['session.read', 'findSession', (s, id) => s.findSession(id)],
  ['session.read', 'refreshSession', (s, id) => s.refreshSession(id)],
  ['session.read', 'getAttribute', (s, id) => s.getAttribute(id, 'role')],
  ['session.read', 'verifySession', (s, id) => s.verifySession(`${id}.the-own-token-of-alice`)],
  ['session.write', 'setAttribute', (s, id) => s.setAttribute(id, 'role', 'x')],
  ['session.write', 'setAttributes', (s, id) => s.setAttributes(id, { set: { role: 'x' } })],
  ['session.write', 'removeAttribute', (s, id) => s.removeAttribute(id, 'role')],
  ['session.delete', 'deleteSession', (s, id) => s.deleteSession(id)],
  ['session.delete', 'kickOut', (s, id) => s.kickOut(id)],
  ['session.delete', 'deleteAllSessions', (s) => s.deleteAllSessions('alice')],
  ['session.list', 'getSessionsByLoginId', (s) => s.getSessionsByLoginId('alice')],
  ['session.list', 'getSessionHistory', (s) => s.getSessionHistory('alice')],
  ['session.list', 'countSessions', (s) => s.countSessions()],
  ['session.list', 'countOnline', (s) => s.countOnline()],
  ['session.list', 'listLogins', (s) => s.listLogins()],
  ['session.list', 'touches', async (s) => s.touches],
  ['service.read', 'listServices', (s) => s.listServices()],
  [
    'service.manage',
    'registerService',
    (s) => s.registerService({ serviceId: 'x', serviceName: 'x', permissions: [] }),
  ],
  ['service.manage', 'rotateServiceSecret', (s) => s.rotateServiceSecret('weak')],
  ['service.manage', 'endServiceSecret', (s) => s.endServiceSecret('weak', 'key')],
  ['service.manage', 'revokeService', (s) => s.revokeService('weak')],
];

const ALL = [...new Set(REQUIRED.map(([permission]) => permission))];

/** What `as(service)` allows, method by method. */
export function describePermissions(context: StorageContext): void {
  const { it } = context.runner;
  context.topic('permissions', () => {
    it('may() returns whether a permission is granted, and requires none', async () => {
      const { sessions, as } = await startGuest(context);
      assert.equal(sessions.may('service.manage'), true);
      assert.equal(as('session.*').may('session.list'), true);
      assert.equal(as('session.read:cart.*').may('session.read:cart.items'), true);
      assert.equal(as('session.read:cart.*').may('session.read'), false);
      assert.equal(as().may('session.read'), false);
      assert.throws(() => sessions.may('session read'), { code: 'ERR_SERVICE_INPUT' });
    });

    for (const [permission, name, call] of REQUIRED) {
      it(`${name} requires ${permission} and no other permission`, async () => {
        const { as, sessionId } = await startGuest(context);
        const others = ALL.filter((other) => other !== permission);
        const fields = { serviceId: 'guest' };
        await rejectsWith(call(as(...others), sessionId), 'ERR_SERVICE_PERMISSION', fields);
        const lookalikes = [`${permission}All`, `x.${permission}`, permission.split('.')[0]!, `${permission}.*`];
        await rejectsWith(call(as(...lookalikes), sessionId), 'ERR_SERVICE_PERMISSION', fields);
        await call(as(permission), sessionId);
      });
    }

    it('a session records the service that created it and the one that ended it', async () => {
      const { sessions, as } = await startGuest(context);
      const guest = as('session.create', 'session.delete');
      const { sessionId } = await guest.createSession('bob');
      assert.equal((await sessions.getSession(sessionId)).serviceId, 'guest');
      await guest.deleteSession(sessionId, { actor: 'bob' });
      const [entry] = await sessions.getSessionHistory('bob');
      assert.deepEqual([entry?.endedBy, entry?.actor, entry?.reason], ['guest', 'bob', 'logged-out']);
    });

    it('a wildcard grants every permission with its prefix', async () => {
      const { as, sessionId } = await startGuest(context);
      await as('session.*').setAttribute(sessionId, 'role', 'x');
      await as('*').listServices();
      await rejectsWith(as('session.*').listServices(), 'ERR_SERVICE_PERMISSION', { permission: 'service.read' });
    });

    it('a service cannot gain permissions by acting for another, by registering one or by rotating its secret', async () => {
      const { as, sessionId } = await startGuest(context);
      const reader = as('session.read', 'service.manage');
      await rejectsWith(
        reader.as({ serviceId: 'other', permissions: ['*'] }).deleteSession(sessionId),
        'ERR_SERVICE_PERMISSION',
      );
      const powerful = { serviceId: 'powerful', serviceName: 'Powerful', permissions: ['session.delete'] };
      await rejectsWith(reader.registerService(powerful), 'ERR_SERVICE_PERMISSION', { permission: 'session.delete' });
      const sessions = await context.manager();
      await sessions.registerService(powerful);
      await rejectsWith(reader.rotateServiceSecret('powerful'), 'ERR_SERVICE_PERMISSION', {
        permission: 'session.delete',
      });
    });
  });
}
