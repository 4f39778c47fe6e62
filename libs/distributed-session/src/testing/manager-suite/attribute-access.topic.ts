import assert from 'node:assert/strict';
import type { AttributePatch } from '../../model/attributes.js';
import { rejectsWith } from '../assertions.js';
import type { StorageContext } from '../storage-context.js';
import { startGuest } from './guest.js';

/** A patch that sets these keys to 1. */
function ones(keys: readonly string[]): AttributePatch {
  return { set: Object.fromEntries(keys.map((key) => [key, 1])) };
}

/** What `as(service)` allows, attribute by attribute, and how much of a session a service fills. */
export function describeAttributeAccess(context: StorageContext): void {
  const { it } = context.runner;

  context.topic('attribute access', () => {
    it('a service receives only the attributes that it may read', async () => {
      const { as, sessionId } = await startGuest(context);
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
      const { sessions, as, sessionId } = await startGuest(context);
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
      const { sessions, as, sessionId } = await startGuest(context);
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
      const { as } = await startGuest(context);
      const creator = as('session.create', 'session.write:cart.*');
      await creator.createSession('bob', undefined, { attributes: { 'cart.items': 1 } });
      const forbidden = creator.createSession('bob', undefined, { attributes: { role: 'root' } });
      await rejectsWith(forbidden, 'ERR_SERVICE_PERMISSION');
    });

    it('a service that may not read receives no attribute, client or device in any answer', async () => {
      const { sessions, as } = await startGuest(context);
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
  });
}
