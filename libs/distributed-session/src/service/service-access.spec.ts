import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { type JsonValue, attributesFrom } from '../model/attributes.js';
import { parsePermission } from './permission.js';
import { ServiceAccess } from './service-access.js';

const app = ServiceAccess.unrestricted('app');
const service = (...permissions: string[]) => app.narrowedTo({ serviceId: 'cart', permissions });
const attributes = (values: Record<string, JsonValue>) => attributesFrom(Object.entries(values));
const missing = (permission: string, serviceId = 'cart') =>
  expect.objectContaining({ code: 'ERR_SERVICE_PERMISSION', serviceId, permission });

describe('ServiceAccess', () => {
  it('grants the application itself every permission', () => {
    expect(() => app.require('service.manage')).not.toThrow();
    expect(() => app.requireRead()).not.toThrow();
    expect(() => app.requireWrite(['any', '__proto__'])).not.toThrow();
    const all = attributes({ a: 1 });
    expect(app.visible(all)).toBe(all);
  });

  it('returns hidden attributes as absent', () => {
    const all = attributes({ 'cart.total': 1, 'cart.items': [2], cart: 3, role: 'admin', cartoon: 4 });
    const seen = service('session.read:cart.*').visible(all);
    expect(Object.entries(seen)).toEqual([
      ['cart.total', 1],
      ['cart.items', [2]],
    ]);
    expect('role' in seen).toBe(false);
    expect(Object.isFrozen(seen)).toBe(true);
  });

  it('treats prototype names like any other key', () => {
    const all = attributes(
      JSON.parse('{"__proto__":{"admin":true},"constructor":1,"role":2}') as Record<string, JsonValue>,
    );
    expect(Object.keys(service('session.read:role').visible(all))).toEqual(['role']);
    const seen = service('session.read:__proto__').visible(all);
    expect(Object.keys(seen)).toEqual(['__proto__']);
    expect(seen['admin']).toBeUndefined();
    expect(Object.getPrototypeOf(service('session.list').visible(all))).toBe(Object.prototype);
  });

  it('rejects a whole write for one forbidden key, and its error names the missing permission', () => {
    const cart = service('session.write:cart.*');
    expect(() => cart.requireWrite(['cart.total', 'cart.items'])).not.toThrow();
    expect(() => cart.requireWrite(['cart.total', 'role', 'cart.items'])).toThrow(missing('session.write:role'));
    expect(() => cart.requireWrite(['cart'])).toThrow(missing('session.write:cart'));
    expect(() => cart.requireWrite([])).not.toThrow();
    expect(() => service('session.read').requireWrite([])).toThrow(missing('session.write'));
  });

  it('requires session.read for only some attributes to read a session', () => {
    expect(() => service('session.read:cart.*').requireRead()).not.toThrow();
    expect(() => service('session.read:cart.*').require('session.read')).toThrow(missing('session.read'));
    expect(() => service('session.write', 'session.list').requireRead()).toThrow(missing('session.read'));
  });

  it('grants a service that acts through another one no more than either has', () => {
    const narrow = service('session.read:cart.*', 'session.delete');
    const wide = narrow.narrowedTo({ serviceId: 'admin', permissions: ['*'] });
    expect(wide.serviceId).toBe('admin');
    expect(wide.may(parsePermission('session.delete'))).toBe(true);
    expect(() => wide.require('session.create')).toThrow(missing('session.create', 'admin'));
    expect(Object.keys(wide.visible(attributes({ 'cart.total': 1, role: 2 })))).toEqual(['cart.total']);
    const apart = narrow.narrowedTo({ serviceId: 'other', permissions: ['session.read:role'] });
    expect(Object.keys(apart.visible(attributes({ 'cart.total': 1, role: 2 })))).toEqual([]);
  });

  it('never grants more after narrowing', () => {
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
        expect(inner.mayForSomeAttributes(permission) && !outer.mayForSomeAttributes(permission)).toBe(false);
      }),
    );
  });

  it('rejects an invalid permission when narrowing', () => {
    expect(() => service('session.read', 'session.read:')).toThrow(
      expect.objectContaining({ field: 'permissions[1]' }),
    );
  });
});
