import { describe, expect, it } from '@jest/globals';
import { ServiceAccess } from '../service/service-access.js';
import { DEFAULT_ATTRIBUTE_LIMITS } from '../model/attributes.js';
import { openSession, toSession } from './open-session.js';
import { encodePayload } from './session-payload.js';
import { patchOfUpdate } from './session-update.js';
import type { Session } from '../model/session.js';

const attributes = { role: 'user', cart: { items: [1, 2] }, note: 'hidden' };
const open = openSession({
  state: 'live',
  sessionId: 'id',
  loginId: 'alice',
  serviceId: 'svc',
  device: 'web',
  version: 3,
  createdAt: 1_000,
  lastAccessedAt: 2_000,
  expiresAt: 3_000,
  idleTimeoutMs: 1_000,
  absoluteExpiresAt: 9_000,
  payload: encodePayload({ attributes, client: { ip: '192.0.2.1' } }),
});
const everything = ServiceAccess.unrestricted('svc');
const clerk = everything.narrowedTo({ serviceId: 'clerk', permissions: ['session.read:role', 'session.read:cart'] });

function patchOf(change: Record<string, unknown>, access = everything) {
  const seen: Session = toSession(open, access);
  return patchOfUpdate({ ...seen, ...change }, open, access, DEFAULT_ATTRIBUTE_LIMITS);
}

const failing = (fields: object) => expect.objectContaining(fields);

describe('patchOfUpdate', () => {
  it('returns an empty patch for an unchanged session, including a deep copy', () => {
    const nothing = { set: new Map(), remove: new Set() };
    expect(patchOf({})).toEqual(nothing);
    expect(patchOf({ attributes: structuredClone(attributes) })).toEqual(nothing);
  });

  it('contains exactly the new, changed and removed attributes', () => {
    expect(patchOf({ attributes: { role: 'admin', cart: { items: [1, 2] }, added: null } })).toEqual({
      set: new Map<string, unknown>([
        ['role', 'admin'],
        ['added', null],
      ]),
      remove: new Set(['note']),
    });
    expect(patchOf({ attributes: { ...attributes, cart: { items: [2, 1] } } }).set).toEqual(
      new Map([['cart', { items: [2, 1] }]]),
    );
  });

  it('keeps attributes that the caller may not read and cannot send back', () => {
    expect(patchOf({}, clerk)).toEqual({ set: new Map(), remove: new Set() });
    expect(patchOf({ attributes: {} }, clerk).remove).toEqual(new Set(['role', 'cart']));
  });

  it('rejects a session that was changed after it was read, before any other check', () => {
    const conflict = { code: 'ERR_SESSION_CONFLICT', expectedVersion: 2, currentVersion: 3 };
    expect(() => patchOf({ version: 2, loginId: 'mallory' })).toThrow(failing(conflict));
  });

  it.each([['3'], [NaN], [undefined], [Symbol('3')], ['x'.repeat(1_000)]])('rejects %p as a version', (version) => {
    const error = failing({ code: 'ERR_SESSION_INPUT', field: 'version' });
    expect(() => patchOf({ version })).toThrow(error);
  });

  it.each([
    ['sessionId', 'other-id'],
    ['loginId', 'mallory'],
    ['serviceId', 'other'],
    ['device', undefined],
    ['device', 'mobile'],
    ['createdAt', 1],
    ['absoluteExpiresAt', 99_000],
    ['absoluteExpiresAt', undefined],
    ['idleTimeoutMs', 99_000],
    ['client', { ip: '198.51.100.7' }],
  ])('rejects a changed %s (%p)', (field, value) => {
    expect(() => patchOf({ [field]: value })).toThrow(failing({ constraint: 'immutable', field }));
  });

  it('ignores the times of access and expiry', () => {
    expect(patchOf({ lastAccessedAt: 5, expiresAt: 10 ** 12 })).toEqual({ set: new Map(), remove: new Set() });
  });

  it('rejects attributes that are missing, not an object or not JSON', () => {
    for (const value of [undefined, null, 'role', [1]]) {
      expect(() => patchOf({ attributes: value })).toThrow(failing({ field: 'attributes', constraint: 'type' }));
    }
    expect(() => patchOf({ attributes: { role: undefined } })).toThrow(failing({ field: 'attributes.role' }));
  });

  it('treats prototype names as ordinary keys', () => {
    const named = Object.fromEntries([...Object.entries(attributes), ['__proto__', 1], ['toString', 2]]);
    expect(patchOf({ attributes: named }).set).toEqual(
      new Map([
        ['__proto__', 1],
        ['toString', 2],
      ]),
    );
  });
});
