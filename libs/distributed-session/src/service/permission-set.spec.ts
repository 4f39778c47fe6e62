import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { PermissionSet, parsePermission } from './permission.js';
const READ = parsePermission('session.read');
const WRITE = parsePermission('session.write');

describe('PermissionSet', () => {
  it('grants nothing when it is empty, prototype names included', () => {
    const none = new PermissionSet([]);
    for (const text of ['session.read', '*', 'constructor', '__proto__', 'toString']) {
      expect(none.grants(parsePermission(text))).toBe(false);
      expect(none.grantsPartly(parsePermission(text))).toBe(false);
    }
    expect(none.grantsAttribute(READ, 'constructor')).toBe(false);
  });

  it('grants what one of its permissions grants, and adds none together', () => {
    const set = new PermissionSet(['session.read:a', 'session.read:b.*', 'session.list']);
    expect(set.grants(parsePermission('session.list'))).toBe(true);
    expect(set.grants(parsePermission('session.read:b.c'))).toBe(true);
    expect(set.grants(READ)).toBe(false);
    expect(set.grantsPartly(READ)).toBe(true);
    expect(set.grantsPartly(WRITE)).toBe(false);
  });

  it('grants an attribute by whole segments of its key', () => {
    const set = new PermissionSet(['session.read:cart.*', 'session.read:role', 'session.write:role']);
    const readable = (key: string) => set.grantsAttribute(READ, key);
    expect(['role', 'cart.total', 'cart.items.0', 'cart.', 'cart..', 'cart.*'].filter((key) => !readable(key))).toEqual(
      [],
    );
    const hidden = ['cart', 'cartoon', 'cart_total', 'roles', 'role.x', 'Role', ' role', '', '*', '.'];
    expect(hidden.filter(readable)).toEqual([]);
    expect(set.grantsAttribute(WRITE, 'cart.total')).toBe(false);
    expect(set.grantsAttribute(WRITE, 'role')).toBe(true);
  });

  it('grants no attribute by a key that looks like a wildcard', () => {
    const set = new PermissionSet(['session.read:cart.total']);
    expect(['*', 'cart.*', 'cart', 'session.read', 'cart.total:x'].some((key) => set.grantsAttribute(READ, key))).toBe(
      false,
    );
  });

  it('grants every attribute, whatever its key, to who has the whole permission, and none to who has another', () => {
    const key = fc.string({ unit: 'binary', minLength: 1 });
    const [whole, wild, other] = ['session.read', 'session.*', 'session.list'].map((text) => new PermissionSet([text]));
    fc.assert(
      fc.property(key, (text) => {
        expect(whole!.grantsAttribute(READ, text)).toBe(true);
        expect(wild!.grantsAttribute(READ, text)).toBe(true);
        expect(other!.grantsAttribute(READ, text)).toBe(false);
      }),
    );
  });

  it('refuses a text that is no permission and says which', () => {
    expect(() => new PermissionSet(['session.read', 'no good'])).toThrow(
      expect.objectContaining({ code: 'ERR_SERVICE_INPUT', field: 'permissions[1]' }),
    );
  });
});
