import assert from 'node:assert/strict';
import type { JsonValue } from '../../model/attributes.js';
import { rejectsWith } from '../assertions.js';
import type { StorageTestContext } from '../storage-test-context.js';

/** Attributes under the manager: what may be written, what comes back, and what is refused. */
export function describeManagedAttributes(context: StorageTestContext): void {
  const { it, describe } = context.runner;
  const start = async () => {
    const sessions = await context.manager();
    const { sessionId } = await sessions.createSession('alice');
    return { sessions, sessionId };
  };

  describe('managed attributes', () => {
    it('sets, gets and removes one attribute; others see it at once', async () => {
      const { sessions, sessionId } = await start();
      const other = await context.manager({ serviceId: 'other' });
      await sessions.setAttribute(sessionId, 'role', 'admin');
      assert.equal(await other.getAttribute<string>(sessionId, 'role'), 'admin');
      await other.removeAttribute(sessionId, 'role');
      assert.equal(await sessions.getAttribute(sessionId, 'role'), undefined);
      await sessions.removeAttribute(sessionId, 'role');
    });

    it('sets and removes several in one step', async () => {
      const { sessions, sessionId } = await start();
      await sessions.setAttributes(sessionId, { set: { a: 1, b: 2, c: 3 } });
      const after = await sessions.setAttributes(sessionId, { set: { d: 4 }, remove: ['a', 'b', 'never'] });
      assert.deepEqual({ ...after.attributes }, { c: 3, d: 4 });
      assert.equal(after.version, 3);
    });

    const values: [string, JsonValue][] = [
      ['null', null],
      ['a boolean', false],
      ['zero', 0],
      ['a fraction', -1.5e-7],
      ['an empty text', ''],
      ['other alphabets, quotes and control characters', 'ключ "\\\u0000\u2028🦊'],
      ['a nested document', { cart: [{ sku: 'a', n: 2 }, null], empty: {}, none: [] }],
    ];
    for (const [what, value] of values) {
      it(`gives back ${what} as it was`, async () => {
        const { sessions, sessionId } = await start();
        await sessions.setAttribute(sessionId, 'value', value);
        assert.deepEqual(await sessions.getAttribute(sessionId, 'value'), value);
      });
    }

    it('treats prototype names as plain keys that harm nothing', async () => {
      const { sessions, sessionId } = await start();
      for (const key of ['__proto__', 'constructor', 'prototype', 'hasOwnProperty']) {
        assert.equal(await sessions.getAttribute(sessionId, key), undefined);
        await sessions.setAttribute(sessionId, key, { polluted: key });
        assert.deepEqual(await sessions.getAttribute(sessionId, key), { polluted: key });
      }
      const value = JSON.parse('{"__proto__": {"polluted": true}}') as object;
      await sessions.setAttribute(sessionId, 'nested', value);
      assert.equal(JSON.stringify(await sessions.getAttribute(sessionId, 'nested')), '{"__proto__":{"polluted":true}}');
      assert.equal(({} as { polluted?: unknown }).polluted, undefined);
    });

    const cyclic: Record<string, unknown> = {};
    cyclic['self'] = cyclic;
    const refused: [string, unknown, string][] = [
      ['undefined', undefined, 'attribute-value'],
      ['a function', () => 1, 'attribute-value'],
      ['a symbol', Symbol('x'), 'attribute-value'],
      ['a BigInt', 1n, 'attribute-value'],
      ['NaN', NaN, 'attribute-value'],
      ['infinity', [Infinity], 'attribute-value'],
      ['a cycle', cyclic, 'attribute-value'],
      ['a Date', new Date(), 'attribute-value'],
      ['undefined inside', { a: [{ b: undefined }] }, 'attribute-value'],
      ['too large a value', 'x'.repeat(16_385), 'attribute-value-size'],
      ['too deep a value', JSON.parse('['.repeat(17) + ']'.repeat(17)), 'attribute-depth'],
    ];
    for (const [what, value, constraint] of refused) {
      it(`refuses ${what} as a value, and writes nothing`, async () => {
        const { sessions, sessionId } = await start();
        const set = { fine: 1, wrong: value as string };
        await rejectsWith(sessions.setAttributes(sessionId, { set }), 'ERR_SESSION_INPUT', { constraint });
        await rejectsWith(sessions.createSession('bob', undefined, { attributes: set }), 'ERR_SESSION_INPUT');
        assert.equal((await sessions.getSession(sessionId)).version, 1);
        assert.equal(await sessions.countSessions('bob'), 0);
      });
    }

    it('refuses keys, counts and sums beyond the bounds, each with its own error', async () => {
      const { sessions, sessionId } = await start();
      const refuse = (set: Record<string, string>, constraint: string, limit?: number) =>
        rejectsWith(sessions.setAttributes(sessionId, { set }), 'ERR_SESSION_INPUT', { constraint, limit });
      await refuse({ '': 'x' }, 'attribute-key');
      await refuse({ ['k'.repeat(129)]: 'x' }, 'attribute-key-length', 128);
      const many = Object.fromEntries(Array.from({ length: 101 }, (_, n) => [`k${n}`, 'x']));
      await refuse(many, 'attribute-count', 100);
      const large = Object.fromEntries(Array.from({ length: 5 }, (_, n) => [`k${n}`, 'x'.repeat(16_000)]));
      await refuse(large, 'attributes-total-size', 65_536);
      assert.deepEqual({ ...(await sessions.getSession(sessionId)).attributes }, {});
    });

    it('refuses a key that is both set and removed, and a patch that is none', async () => {
      const { sessions, sessionId } = await start();
      await rejectsWith(sessions.setAttributes(sessionId, { set: { a: 1 }, remove: ['a'] }), 'ERR_SESSION_INPUT');
      await rejectsWith(sessions.setAttributes(sessionId, { sets: {} } as never), 'ERR_SESSION_INPUT');
      await rejectsWith(sessions.setAttributes(sessionId, null as never), 'ERR_SESSION_INPUT');
    });

    it('gives out frozen snapshots that share nothing', async () => {
      const { sessions, sessionId } = await start();
      await sessions.setAttribute(sessionId, 'cart', { items: ['a'] });
      const first = await sessions.getSession(sessionId);
      const cart = first.attributes['cart'] as { items: string[] };
      assert.throws(() => cart.items.push('b'), TypeError);
      assert.throws(() => Object.assign(first, { loginId: 'mallory' }), TypeError);
      assert.throws(() => Object.assign(first.attributes, { role: 'admin' }), TypeError);
      await sessions.setAttribute(sessionId, 'cart', { items: [] });
      assert.deepEqual(cart.items, ['a']);
    });

    it('updates a session that was read, and refuses one that has moved on', async () => {
      const { sessions, sessionId } = await start();
      const read = await sessions.setAttributes(sessionId, { set: { a: 1, b: 2 } });
      const updated = await sessions.updateSession({ ...read, attributes: { a: 1, c: 3 } });
      assert.deepEqual({ ...updated.attributes }, { a: 1, c: 3 });
      assert.equal(updated.version, read.version + 1);
      const versions = { expectedVersion: read.version, currentVersion: updated.version };
      const stale = sessions.updateSession({ ...read, attributes: { a: 'stale' } });
      await rejectsWith(stale, 'ERR_SESSION_CONFLICT', versions);
      assert.equal(await sessions.getAttribute(sessionId, 'a'), 1);
    });

    it('does not let an update change whose session it is, its id or its times', async () => {
      const { sessions, sessionId } = await start();
      const read = await sessions.getSession(sessionId);
      for (const change of [
        { loginId: 'mallory' },
        { createdAt: 1 },
        { serviceId: 'x' },
        { device: 'x' },
        { idleTimeoutMs: 1 },
      ]) {
        const field = Object.keys(change)[0];
        await rejectsWith(sessions.updateSession({ ...read, ...change }), 'ERR_SESSION_INPUT', {
          field,
          constraint: 'immutable',
        });
      }
      const other = await sessions.createSession('bob');
      await rejectsWith(sessions.updateSession({ ...read, sessionId: other.sessionId }), 'ERR_SESSION_INPUT');
      assert.deepEqual(await sessions.getSession(sessionId), read);
      assert.equal((await sessions.getSession(other.sessionId)).loginId, 'bob');
    });

    it('refuses a stale update, and every other write, after the end', async () => {
      const { sessions, sessionId } = await start();
      const read = await sessions.getSession(sessionId);
      await sessions.deleteSession(sessionId);
      for (const write of [
        sessions.updateSession({ ...read, attributes: { role: 'admin' } }),
        sessions.setAttribute(sessionId, 'role', 'admin'),
        sessions.removeAttribute(sessionId, 'role'),
        sessions.rotateSession(sessionId),
      ]) {
        await rejectsWith(write, 'ERR_SESSION_ENDED', { reason: 'logged-out' });
      }
      assert.equal(await sessions.countSessions('alice'), 0);
    });
  });
}
