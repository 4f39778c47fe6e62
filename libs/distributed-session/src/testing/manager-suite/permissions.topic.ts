import assert from 'node:assert/strict';
import type { DistributedSessionManager } from '../../session/distributed-session.manager.js';
import type { CreateSessionOptions } from '../../session/session-input.js';
import type { AttributePatch } from '../../model/attributes.js';
import { rejectsWith } from '../assertions.js';
import type { StorageContext } from '../storage-context.js';

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

/** A patch that sets these keys to 1. */
function ones(keys: readonly string[]): AttributePatch {
  return { set: Object.fromEntries(keys.map((key) => [key, 1])) };
}

/** What `as(service)` allows, method by method and attribute by attribute. */
export function describePermissions(context: StorageContext): void {
  const { it } = context.runner;
  const start = async () => {
    const sessions = await context.manager();
    await sessions.registerService({ serviceId: 'weak', serviceName: 'Weak', permissions: [] });
    const { sessionId } = await sessions.createSession('alice', 'the-own-token-of-alice', {
      attributes: { role: 'admin', 'cart.items': 2, 'cart.total': 9, cartoon: 'x', order: {} },
    });
    const as = (...permissions: string[]) => sessions.as({ serviceId: 'guest', permissions });
    return { sessions, sessionId, as };
  };

  context.topic('permissions', () => {
    it('may() returns whether a permission is granted, and requires none', async () => {
      const { sessions, as } = await start();
      assert.equal(sessions.may('service.manage'), true);
      assert.equal(as('session.*').may('session.list'), true);
      assert.equal(as('session.read:cart.*').may('session.read:cart.items'), true);
      assert.equal(as('session.read:cart.*').may('session.read'), false);
      assert.equal(as().may('session.read'), false);
      assert.throws(() => sessions.may('session read'), { code: 'ERR_SERVICE_INPUT' });
    });

    for (const [permission, name, call] of REQUIRED) {
      it(`${name} requires ${permission} and no other permission`, async () => {
        const { as, sessionId } = await start();
        const others = ALL.filter((other) => other !== permission);
        const fields = { serviceId: 'guest' };
        await rejectsWith(call(as(...others), sessionId), 'ERR_SERVICE_PERMISSION', fields);
        const lookalikes = [`${permission}All`, `x.${permission}`, permission.split('.')[0]!, `${permission}.*`];
        await rejectsWith(call(as(...lookalikes), sessionId), 'ERR_SERVICE_PERMISSION', fields);
        await call(as(permission), sessionId);
      });
    }

    it('a service receives only the attributes that it may read', async () => {
      const { as, sessionId } = await start();
      const cart = as('session.read:cart.*', 'session.list');
      assert.deepEqual({ ...(await cart.getSession(sessionId)).attributes }, { 'cart.items': 2, 'cart.total': 9 });
      assert.equal(await cart.getAttribute(sessionId, 'cart.items'), 2);
      assert.equal(await cart.getAttribute(sessionId, 'role'), undefined);
      const [listed] = await cart.getSessionsByLoginId('alice');
      assert.deepEqual({ ...listed!.attributes }, { 'cart.items': 2, 'cart.total': 9 });
      const lister = as('session.list');
      assert.deepEqual({ ...(await lister.getSessionsByLoginId('alice'))[0]!.attributes }, {});
    });

    it('a patch with one forbidden attribute is rejected as a whole', async () => {
      const { sessions, as, sessionId } = await start();
      const writer = as('session.read', 'session.write:cart.*', 'session.write:note');
      const patches: AttributePatch[] = [
        { set: { 'cart.items': 3, role: 'root' } },
        { set: { 'cart.items': 3 }, remove: ['role'] },
        { set: { cartoon: 'y' } },
        { set: { cart: 1 } },
      ];
      for (const patch of patches) await rejectsWith(writer.setAttributes(sessionId, patch), 'ERR_SERVICE_PERMISSION');
      assert.equal((await sessions.getSession(sessionId)).version, 1);
      await writer.setAttributes(sessionId, { set: { 'cart.items': 3, note: 'x' }, remove: ['cart.total'] });
      assert.equal(await sessions.getAttribute(sessionId, 'cart.items'), 3);
    });

    it('updateSession() by a service that may read some attributes keeps the others', async () => {
      const { sessions, as, sessionId } = await start();
      const cart = as('session.read:cart.*', 'session.write:cart.*');
      const seen = await cart.getSession(sessionId);
      const updated = await cart.updateSession({ ...seen, attributes: { 'cart.items': 5 } });
      assert.deepEqual({ ...updated.attributes }, { 'cart.items': 5 });
      assert.deepEqual(
        { ...(await sessions.getSession(sessionId)).attributes },
        { role: 'admin', 'cart.items': 5, cartoon: 'x', order: {} },
      );
      const forbidden = cart.updateSession({ ...updated, attributes: { 'cart.items': 5, role: 'root' } });
      await rejectsWith(forbidden, 'ERR_SERVICE_PERMISSION', { permission: 'session.write:role' });
    });

    it('createSession() with attributes requires the permission to write them', async () => {
      const { as } = await start();
      const creator = as('session.create', 'session.write:cart.*');
      await creator.createSession('bob', undefined, { attributes: { 'cart.items': 1 } });
      const forbidden = creator.createSession('bob', undefined, { attributes: { role: 'root' } });
      await rejectsWith(forbidden, 'ERR_SERVICE_PERMISSION');
    });

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

    it('a service that may not read receives no attribute, client or device in any answer', async () => {
      const { sessions, as } = await start();
      const options = { device: 'web', client: { ip: '203.0.113.7', userAgent: 'Firefox' } };
      const attributes = { role: 'admin', 'cart.total': 9 };
      const { sessionId, credential } = await sessions.createSession('bob', undefined, { ...options, attributes });
      const writer = as('session.create', 'session.write', 'session.impersonate');
      const rotated = await writer.rotateSession(credential);
      const answers = [
        await writer.createSession('bob', undefined, { ...options, attributes }),
        rotated,
        await writer.setAttributes(rotated.sessionId, { set: { role: 'x' } }),
        await writer.setAttribute(sessionId, 'role', 'y'),
        await writer.removeAttribute(sessionId, 'role'),
        await writer.rotateSession(rotated.sessionId, { actor: 'root' }),
      ];
      for (const answer of answers) {
        assert.deepEqual([{ ...answer.attributes }, answer.client, answer.device], [{}, undefined, undefined]);
        assert(answer.version >= 1 && answer.expiresAt > answer.createdAt && answer.loginId === 'bob');
      }
      const [listed] = await as('session.list').getSessionsByLoginId('bob');
      assert.deepEqual([listed?.client, listed?.device], [options.client, 'web']);
      const reader = as('session.read:cart.*', 'session.write:cart.*');
      const read = await reader.setAttribute(listed!.sessionId, 'cart.total', 1);
      assert.deepEqual(
        [read.client, read.device, { ...read.attributes }],
        [options.client, 'web', { 'cart.total': 1 }],
      );
    });

    it('an error about a limit states the limit, and no number or size of hidden attributes', async () => {
      const limits = { maxCount: 7, maxTotalBytes: 200 };
      const sessions = await context.manager({ attributeLimits: limits, maxAttributeShare: 1 });
      const writer = sessions.as({ serviceId: 'writer', permissions: ['session.write:own.*'] });
      for (const [hidden, own, constraint, limit] of [
        [{ a: 1, b: 2, c: 3, d: 4, e: 5 }, { 'own.1': 1, 'own.2': 2, 'own.3': 3 }, 'attribute-count', 7],
        [{ a: 'x'.repeat(123) }, { 'own.1': 'y'.repeat(71) }, 'attributes-total-size', 200],
      ] as const) {
        const { sessionId } = await sessions.createSession('bob', undefined, { attributes: hidden });
        const refused = writer.setAttributes(sessionId, { set: own });
        const { message } = await rejectsWith(refused, 'ERR_SESSION_INPUT', { constraint, limit });
        assert.deepEqual(message.match(/\d+/g), [String(limit)]);
      }
    });

    it('one limited service fills no more than its share of a session, in number and in size', async () => {
      const limits = { maxCount: 10, maxTotalBytes: 400 };
      const sessions = await context.manager({ attributeLimits: limits });
      const as = (serviceId: string) => sessions.as({ serviceId, permissions: ['session.*'] });
      const [cart, order] = [as('cart'), as('order')];
      const { sessionId } = await cart.createSession('bob', undefined, { attributes: { 'cart.0': 0, 'cart.1': 1 } });
      const many = cart.setAttributes(sessionId, ones(['a', 'b', 'c', 'd']));
      await rejectsWith(many, 'ERR_SESSION_INPUT', { constraint: 'attribute-share-count', limit: 5 });
      const large = cart.setAttribute(sessionId, 'a', 'x'.repeat(180));
      await rejectsWith(large, 'ERR_SESSION_INPUT', { constraint: 'attribute-share-size', limit: 200 });
      const others = { attributes: ones(['a', 'b', 'c', 'd', 'e', 'f']).set! };
      await rejectsWith(cart.createSession('bob', undefined, others), 'ERR_SESSION_INPUT', { limit: 5 });
      const seen = await cart.setAttributes(sessionId, ones(['a', 'b', 'c']));
      const grown = cart.updateSession({ ...seen, attributes: { ...seen.attributes, d: 1 } });
      await rejectsWith(grown, 'ERR_SESSION_INPUT', { constraint: 'attribute-share-count', limit: 5 });
      await cart.updateSession({ ...seen, attributes: { ...seen.attributes, c: 2 } });

      // The rotated session remembers the share, and another service's write moves an attribute to its own.
      const { sessionId: rotated } = await cart.rotateSession(sessionId, { actor: 'root' });
      await rejectsWith(cart.setAttribute(rotated, 'd', 1), 'ERR_SESSION_INPUT', { limit: 5 });
      await order.setAttribute(rotated, 'a', 'y'.repeat(100));
      await cart.setAttribute(rotated, 'd', 1);
      await rejectsWith(order.setAttribute(rotated, 'b', 'y'.repeat(100)), 'ERR_SESSION_INPUT', { limit: 200 });
      await order.removeAttribute(rotated, 'd');
      await cart.setAttribute(rotated, 'e', 1);
      await sessions.setAttributes(rotated, ones(['f', 'g', 'h', 'i']));
      const full = as('third').setAttribute(rotated, 'j', 1);
      await rejectsWith(full, 'ERR_SESSION_INPUT', { constraint: 'attribute-count', limit: 10 });
      await sessions.setAttributes(rotated, ones(['b', 'c']));
      await rejectsWith(cart.setAttribute(rotated, 'z', 1), 'ERR_SESSION_INPUT', { constraint: 'attribute-count' });
      assert.equal(Object.keys((await sessions.getSession(rotated)).attributes).length, 10);
    });

    it('concurrent writes keep a limited service within its share', async () => {
      const sessions = await context.manager({ attributeLimits: { maxCount: 10 } });
      const { sessionId } = await sessions.createSession('bob');
      const cart = sessions.as({ serviceId: 'cart', permissions: ['session.write'] });
      const writes = Array.from({ length: 20 }, (_, index) => cart.setAttribute(sessionId, `cart.${index}`, 1));
      const settled = await Promise.allSettled(writes);
      assert.equal(settled.filter(({ status }) => status === 'fulfilled').length, 5);
      assert.equal(Object.keys((await sessions.getSession(sessionId)).attributes).length, 5);
      const administrator = sessions.as({ serviceId: 'cart', permissions: ['*'] });
      await administrator.setAttribute(sessionId, 'more', 1);
    });

    it('a session records the service that created it and the one that ended it', async () => {
      const { sessions, as } = await start();
      const guest = as('session.create', 'session.delete');
      const { sessionId } = await guest.createSession('bob');
      assert.equal((await sessions.getSession(sessionId)).serviceId, 'guest');
      await guest.deleteSession(sessionId, { actor: 'bob' });
      const [entry] = await sessions.getSessionHistory('bob');
      assert.deepEqual([entry?.endedBy, entry?.actor, entry?.reason], ['guest', 'bob', 'logged-out']);
    });

    it('a wildcard grants every permission with its prefix', async () => {
      const { as, sessionId } = await start();
      await as('session.*').setAttribute(sessionId, 'role', 'x');
      await as('*').listServices();
      await rejectsWith(as('session.*').listServices(), 'ERR_SERVICE_PERMISSION', { permission: 'service.read' });
    });

    it('a service cannot gain permissions by acting for another, by registering one or by rotating its secret', async () => {
      const { as, sessionId } = await start();
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
