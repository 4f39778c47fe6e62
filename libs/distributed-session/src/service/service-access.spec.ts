import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { type JsonValue, emptyAttributes } from '../model/attributes.js';
import { parsePermission } from './permission.js';
import { ServiceAccess } from './service-access.js';

const app = ServiceAccess.unrestricted('app');
const service = (...permissions: string[]) => app.narrowedTo({ serviceId: 'cart', permissions });
const attributes = (values: Record<string, JsonValue>) => Object.freeze(Object.assign(emptyAttributes(), values));
const lacking = (permission: string, serviceId = 'cart') =>
  expect.objectContaining({ code: 'ERR_SERVICE_PERMISSION', serviceId, permission });

describe('ServiceAccess', () => {
  it('lets the application itself do everything', () => {
    expect(() => app.require('service.manage')).not.toThrow();
    expect(() => app.requireRead()).not.toThrow();
    expect(() => app.requireWrite(['any', '__proto__'])).not.toThrow();
    const all = attributes({ a: 1 });
    expect(app.visible(all)).toBe(all);
  });

  it('shows a hidden attribute as absent', () => {
    const all = attributes({ 'cart.total': 1, 'cart.items': [2], cart: 3, role: 'admin', cartoon: 4 });
    const seen = service('session.read:cart.*').visible(all);
    expect(Object.entries(seen)).toEqual([
      ['cart.total', 1],
      ['cart.items', [2]],
    ]);
    expect('role' in seen).toBe(false);
    expect(Object.isFrozen(seen)).toBe(true);
  });

  it('hides prototype names like others, and shows them as plain keys', () => {
    const all = attributes(
      JSON.parse('{"__proto__":{"admin":true},"constructor":1,"role":2}') as Record<string, JsonValue>,
    );
    expect(Object.keys(service('session.read:role').visible(all))).toEqual(['role']);
    const seen = service('session.read:__proto__').visible(all);
    expect(Object.keys(seen)).toEqual(['__proto__']);
    expect(seen['admin']).toBeUndefined();
    expect(Object.getPrototypeOf(service('session.list').visible(all))).toBeNull();
  });

  it('refuses a write whole for one key that may not be written, and names the permission for it', () => {
    const cart = service('session.write:cart.*');
    expect(() => cart.requireWrite(['cart.total', 'cart.items'])).not.toThrow();
    expect(() => cart.requireWrite(['cart.total', 'role', 'cart.items'])).toThrow(lacking('session.write:role'));
    expect(() => cart.requireWrite(['cart'])).toThrow(lacking('session.write:cart'));
    expect(() => cart.requireWrite([])).not.toThrow();
    expect(() => service('session.read').requireWrite([])).toThrow(lacking('session.write'));
  });

  it('lets who may read only some attributes read sessions', () => {
    expect(() => service('session.read:cart.*').requireRead()).not.toThrow();
    expect(() => service('session.read:cart.*').require('session.read')).toThrow(lacking('session.read'));
    expect(() => service('session.write', 'session.list').requireRead()).toThrow(lacking('session.read'));
  });

  it('gives a service that acts through another never more than either has', () => {
    const narrow = service('session.read:cart.*', 'session.delete');
    const wide = narrow.narrowedTo({ serviceId: 'admin', permissions: ['*'] });
    expect(wide.serviceId).toBe('admin');
    expect(wide.may(parsePermission('session.delete'))).toBe(true);
    expect(() => wide.require('session.create')).toThrow(lacking('session.create', 'admin'));
    expect(Object.keys(wide.visible(attributes({ 'cart.total': 1, role: 2 })))).toEqual(['cart.total']);
    const apart = narrow.narrowedTo({ serviceId: 'other', permissions: ['session.read:role'] });
    expect(Object.keys(apart.visible(attributes({ 'cart.total': 1, role: 2 })))).toEqual([]);
  });

  it('whatever the chain: narrowing grants nothing that was not granted before', () => {
    const text = fc.constantFrom(
      '*',
      'session.*',
      'session.read',
      'session.read:cart.*',
      'session.read:cart.total',
      'session.write',
      'session.write:role',
      'service.manage',
      'session.list',
    );
    const permissions = fc.array(text, { maxLength: 3 });
    fc.assert(
      fc.property(permissions, permissions, text, (first, second, required) => {
        const outer = service(...first);
        const inner = outer.narrowedTo({ serviceId: 'inner', permissions: second });
        const permission = parsePermission(required);
        expect(inner.may(permission)).toBe(outer.may(permission) && service(...second).may(permission));
        expect(inner.mayPartly(permission) && !outer.mayPartly(permission)).toBe(false);
      }),
    );
  });

  it('refuses to be narrowed by what is no permission', () => {
    expect(() => service('session.read', 'session.read:')).toThrow(
      expect.objectContaining({ field: 'permissions[1]' }),
    );
  });
});
