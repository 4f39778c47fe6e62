import assert from 'node:assert/strict';
import type { JsonValue } from '../../model/attributes.js';
import { rejectsWith } from '../assertions.js';
import type { StorageContext } from '../storage-context.js';

/** As a template string converts it. */
const asText = (value: unknown) => `as text: ${value as string}`;

/** Attributes: which values are valid, how they are written, and how they are returned. */
export function describeAttributes(context: StorageContext): void {
  const { it } = context.runner;
  const start = async () => {
    const sessions = await context.manager();
    const { sessionId } = await sessions.createSession('alice');
    return { sessions, sessionId };
  };

  context.topic('attributes', () => {
    it('setAttribute() and removeAttribute() take effect immediately for every manager', async () => {
      const { sessions, sessionId } = await start();
      const other = await context.manager({ serviceId: 'other' });
      await sessions.setAttribute(sessionId, 'role', 'admin');
      assert.equal(await other.getAttribute<string>(sessionId, 'role'), 'admin');
      await other.removeAttribute(sessionId, 'role');
      assert.equal(await sessions.getAttribute(sessionId, 'role'), undefined);
      await sessions.removeAttribute(sessionId, 'role');
    });

    it('setAttributes() sets and removes several attributes in one step', async () => {
      const { sessions, sessionId } = await start();
      await sessions.setAttributes(sessionId, { set: { a: 1, b: 2, c: 3 } });
      const after = await sessions.setAttributes(sessionId, { set: { d: 4 }, remove: ['a', 'b', 'never'] });
      assert.deepEqual({ ...after.attributes }, { c: 3, d: 4 });
      assert.equal(after.version, 3);
    });

    const values: [string, JsonValue][] = [
      ['null', null],
      ['false', false],
      ['0', 0],
      ['-1.5e-7', -1.5e-7],
      ['""', ''],
      ['with other alphabets, quotes and control characters', 'ключ "\\\u0000\u2028🦊'],
      ['of a nested document', { cart: [{ sku: 'a', n: 2 }, null], empty: {}, none: [] }],
    ];
    for (const [what, value] of values) {
      it(`the value ${what} is returned unchanged`, async () => {
        const { sessions, sessionId } = await start();
        await sessions.setAttribute(sessionId, 'value', value);
        assert.deepEqual(await sessions.getAttribute(sessionId, 'value'), value);
      });
    }

    it('names of Object.prototype are ordinary and harmless keys', async () => {
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

    it('session.attributes behaves like an ordinary object, whatever its attributes are called', async () => {
      const { sessions, sessionId } = await start();
      const ordinary = JSON.parse('{"role":"admin","n":{"a":1},"__proto__":{"polluted":1},"constructor":2}') as object;
      await sessions.setAttributes(sessionId, { set: ordinary as { role: string } });
      const reader = sessions.as({ serviceId: 'reader', permissions: ['session.read:*'] });
      for (const manager of [sessions, reader]) {
        const { attributes } = await manager.getSession(sessionId);
        assert.deepEqual(attributes, ordinary);
        assert.deepEqual({ ...attributes }, ordinary);
        // A clone may be of another realm than the test, so that its prototype differs.
        assert.equal(JSON.stringify(structuredClone(attributes)), JSON.stringify(ordinary));
        assert.deepEqual(Object.keys(attributes), Object.keys(ordinary));
        assert.equal(JSON.stringify(attributes), JSON.stringify(ordinary));
        assert.equal(asText(attributes), 'as text: [object Object]');
        assert(attributes.hasOwnProperty('role') && !attributes.hasOwnProperty('toString') && 'role' in attributes);
        assert.equal(Object.getPrototypeOf(attributes), Object.prototype);
        assert.equal((attributes as { polluted?: unknown }).polluted, undefined);
      }
      const { attributes } = await sessions.createSession('bob');
      assert.deepEqual(attributes, {});
      assert.equal(asText(attributes), 'as text: [object Object]');
    });

    it('a name that every object inherits reads as not set, and can be updated', async () => {
      const { sessions, sessionId } = await start();
      for (const key of ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf']) {
        assert.equal(await sessions.getAttribute(sessionId, key), undefined);
        const { attributes, ...session } = await sessions.getSession(sessionId);
        const wanted = Object.fromEntries([...Object.entries(attributes), [key, {}]]);
        const updated = await sessions.updateSession({ ...session, attributes: wanted });
        assert(Object.hasOwn(updated.attributes, key));
        assert.deepEqual(await sessions.getAttribute(sessionId, key), {});
      }
    });

    const cyclic: Record<string, unknown> = {};
    cyclic['self'] = cyclic;
    const invalid: [string, unknown, string][] = [
      ['undefined', undefined, 'attribute-value'],
      ['a function', () => 1, 'attribute-value'],
      ['a symbol', Symbol('x'), 'attribute-value'],
      ['a BigInt', 1n, 'attribute-value'],
      ['NaN', NaN, 'attribute-value'],
      ['Infinity in an array', [Infinity], 'attribute-value'],
      ['a cyclic object', cyclic, 'attribute-value'],
      ['a Date', new Date(), 'attribute-value'],
      ['a nested undefined', { a: [{ b: undefined }] }, 'attribute-value'],
      ['-0', -0, 'attribute-value'],
      ['a whole number beyond 2^53 - 1', [2 ** 53], 'attribute-value'],
      ['a lone surrogate', { text: '\ud800' }, 'attribute-value'],
      ['a name with a lone surrogate', { '\udfff': 1 }, 'attribute-value'],
      ['16,385 characters', 'x'.repeat(16_385), 'attribute-value-size'],
      ['a value that is nested 17 levels deep', JSON.parse('['.repeat(17) + ']'.repeat(17)), 'attribute-depth'],
    ];
    for (const [what, value, constraint] of invalid) {
      it(`setAttributes() and createSession() reject ${what} as a value and write nothing`, async () => {
        const { sessions, sessionId } = await start();
        const set = { fine: 1, wrong: value as string };
        await rejectsWith(sessions.setAttributes(sessionId, { set }), 'ERR_SESSION_INPUT', { constraint });
        await rejectsWith(sessions.createSession('bob', undefined, { attributes: set }), 'ERR_SESSION_INPUT');
        assert.equal((await sessions.getSession(sessionId)).version, 1);
        assert.equal(await sessions.countSessions('bob'), 0);
      });
    }

    it('setAttributes() rejects an invalid key, too many attributes and too large a total, each with its own error', async () => {
      const { sessions, sessionId } = await start();
      const rejects = (set: Record<string, string>, constraint: string, limit?: number) =>
        rejectsWith(sessions.setAttributes(sessionId, { set }), 'ERR_SESSION_INPUT', { constraint, limit });
      await rejects({ '': 'x' }, 'attribute-key');
      await rejects({ 'a\ud800': 'x' }, 'attribute-key');
      await rejects({ ['k'.repeat(129)]: 'x' }, 'attribute-key-length', 128);
      const many = Object.fromEntries(Array.from({ length: 101 }, (_, n) => [`k${n}`, 'x']));
      await rejects(many, 'attribute-count', 100);
      const large = Object.fromEntries(Array.from({ length: 5 }, (_, n) => [`k${n}`, 'x'.repeat(16_000)]));
      await rejects(large, 'attributes-total-size', 65_536);
      assert.deepEqual({ ...(await sessions.getSession(sessionId)).attributes }, {});
    });

    it('setAttributes() rejects a malformed patch and a key that is both set and removed', async () => {
      const { sessions, sessionId } = await start();
      await rejectsWith(sessions.setAttributes(sessionId, { set: { a: 1 }, remove: ['a'] }), 'ERR_SESSION_INPUT');
      await rejectsWith(sessions.setAttributes(sessionId, { sets: {} } as never), 'ERR_SESSION_INPUT');
      await rejectsWith(sessions.setAttributes(sessionId, null as never), 'ERR_SESSION_INPUT');
    });

    it('a session is a frozen snapshot that shares nothing with later ones', async () => {
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

    it('updateSession() writes the version that was read and rejects an older one', async () => {
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

    it('updateSession() rejects a changed id, user, service, device or time', async () => {
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

    it('every write to an ended session is rejected with the reason', async () => {
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
