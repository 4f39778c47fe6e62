import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { PermissionSet, parsePermission } from './permission.js';

describe('PermissionSet', () => {
  const READ = parsePermission('session.read');
  const WRITE = parsePermission('session.write');

  it('grants nothing when it is empty, not even prototype names', () => {
    const none = new PermissionSet([]);
    for (const text of ['session.read', '*', 'constructor', '__proto__', 'toString']) {
      expect(none.grants(parsePermission(text))).toBe(false);
      expect(none.grantsForSomeAttributes(parsePermission(text))).toBe(false);
    }
    expect(none.grantsAttribute(READ, 'constructor')).toBe(false);
  });

  it('grants what a single permission grants, without combining several', () => {
    const set = new PermissionSet(['session.read:a', 'session.read:b.*', 'session.list']);
    expect(set.grants(parsePermission('session.list'))).toBe(true);
    expect(set.grants(parsePermission('session.read:b.c'))).toBe(true);
    expect(set.grants(READ)).toBe(false);
    expect(set.grantsForSomeAttributes(READ)).toBe(true);
    expect(set.grantsForSomeAttributes(WRITE)).toBe(false);
  });

  it('matches whole segments of an attribute key', () => {
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

  it('does not interpret wildcards in an attribute key', () => {
    const set = new PermissionSet(['session.read:cart.total']);
    expect(['*', 'cart.*', 'cart', 'session.read', 'cart.total:x'].some((key) => set.grantsAttribute(READ, key))).toBe(
      false,
    );
  });

  it('grants every attribute for the whole permission, and none for another permission', () => {
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

  it('rejects an invalid permission, and its error names which one', () => {
    expect(() => new PermissionSet(['session.read', 'not valid'])).toThrow(
      expect.objectContaining({ code: 'ERR_SERVICE_INPUT', field: 'permissions[1]' }),
    );
  });
});
