import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import {
  SESSION_PERMISSIONS,
  covers,
  coversForSomeAttributes,
  isUnknownPermission,
  parsePermission,
} from './permission.js';

const grants = (granted: string, required: string) => covers(parsePermission(granted), parsePermission(required));
const grantsForSomeAttributes = (granted: string, required: string) =>
  coversForSomeAttributes(parsePermission(granted), parsePermission(required));

const LETTERS = 'abcABC019_-'.split('');
const segment = fc.oneof(
  fc.string({ unit: fc.constantFrom(...LETTERS), minLength: 1, maxLength: 4 }),
  fc.constantFrom('session', 'read', '__proto__', 'constructor', 'toString', 'hasOwnProperty'),
);
const name = fc.array(segment, { minLength: 1, maxLength: 4 }).map((segments) => segments.join('.'));

describe('parsePermission', () => {
  it('parses every permission of this library, wildcards and application-defined names', () => {
    for (const text of [...SESSION_PERMISSIONS, '*', 'session.*', 'order.refund', 'a', '__proto__', 'x-1.y_2.*']) {
      expect(parsePermission(text)).toMatchObject({ text, name: text.split('.') });
    }
  });

  it.each([
    '',
    ' ',
    '.',
    'session.',
    '.read',
    'session..read',
    'session.*.read',
    '*.read',
    '**',
    'session*',
    'session.re*d',
    'session.read ',
    'session.read\n',
    'session.(read|write)',
    'session.[a-z]+',
    '^session.read$',
    'sessiön.read',
    'session.read:',
    'session.read:*.total',
    'session.read:ca*',
    'session.read:a.*.b',
    'session.delete:cart',
    'session.*:cart',
    '*:cart',
    'order.read:cart',
    'x'.repeat(257),
  ])('rejects the text %j', (text) => {
    expect(() => parsePermission(text, 'permissions[3]')).toThrow(
      expect.objectContaining({ code: 'ERR_SERVICE_INPUT', field: 'permissions[3]' }),
    );
  });

  it.each([undefined, null, 5, {}, ['session.read'], Object('session.read')])('rejects the value %p', (text) => {
    expect(() => parsePermission(text)).toThrow(expect.objectContaining({ code: 'ERR_SERVICE_INPUT' }));
  });

  it('parses the attributes that a permission is narrowed to', () => {
    expect(parsePermission('session.read:cart.*')).toMatchObject({ attributes: ['cart', '*'] });
    expect(parsePermission('session.write:a:b')).toMatchObject({ attributes: ['a:b'] });
    expect(parsePermission('session.read:*')).not.toHaveProperty('attributes');
  });
});

describe('covers', () => {
  it('matches a name with itself and with no other name', () => {
    fc.assert(
      fc.property(name, name, (a, b) => {
        expect(grants(a, a)).toBe(true);
        expect(grants(a, b)).toBe(a === b);
      }),
    );
  });

  it('does not match a prefix, an extension or a part of a name', () => {
    fc.assert(
      fc.property(name, fc.constantFrom(...LETTERS), segment, (granted, letter, more) => {
        for (const other of [
          `${granted}${letter}`,
          `${letter}${granted}`,
          `${granted}.${more}`,
          `${more}.${granted}`,
        ]) {
          expect(grants(granted, other)).toBe(false);
          expect(grants(other, granted)).toBe(false);
        }
      }),
    );
    expect(grants('session.read', 'session.readAll')).toBe(false);
    expect(grants('session.read', 'Session.read')).toBe(false);
  });

  it('matches a trailing wildcard with one or more further segments, but not with none', () => {
    fc.assert(
      fc.property(name, name, fc.constantFrom(...LETTERS), (beginning, rest, letter) => {
        expect(grants(`${beginning}.*`, `${beginning}.${rest}`)).toBe(true);
        expect(grants(`${beginning}.*`, `${beginning}.${rest}.*`)).toBe(true);
        expect(grants(`${beginning}.*`, beginning)).toBe(false);
        expect(grants(`${beginning}.*`, `${beginning}${letter}.${rest}`)).toBe(false);
        expect(grants(`${beginning}.${rest}`, `${beginning}.*`)).toBe(false);
        expect(grants('*', rest)).toBe(true);
        expect(grants(rest, '*')).toBe(false);
      }),
    );
  });

  it('compares names as text, never as patterns or properties', () => {
    expect(grants('a-b', 'a.b')).toBe(false);
    for (const property of ['__proto__', 'constructor', 'toString', 'length', '0']) {
      expect(grants('session.read', property)).toBe(false);
      expect(grants(property, 'session.read')).toBe(false);
      expect(grants('session.read', `session.${property}`)).toBe(false);
    }
  });

  it('includes narrowed permissions in the whole one, and in a narrowed one only those within it', () => {
    const table: [granted: string, required: string, covered: boolean][] = [
      ['session.read', 'session.read:cart.total', true],
      ['session.*', 'session.read:cart.total', true],
      ['*', 'session.write:cart.*', true],
      ['session.read:*', 'session.read', true],
      ['session.read:cart.*', 'session.read:cart.total', true],
      ['session.read:cart.*', 'session.read:cart.items.first', true],
      ['session.read:cart.*', 'session.read:cart.*', true],
      ['session.read:cart.total', 'session.read:cart.total', true],
      ['session.read:cart.*', 'session.read:cart', false],
      ['session.read:cart.*', 'session.read:cartoon.total', false],
      ['session.read:cart', 'session.read:cart.total', false],
      ['session.read:cart.total', 'session.read:cart.*', false],
      ['session.read:cart.*', 'session.read', false],
      ['session.read:cart.*', 'session.*', false],
      ['session.read:cart.*', 'session.write:cart.total', false],
      ['session.write:cart.*', 'session.read:cart.total', false],
    ];
    for (const [granted, required, covered] of table) {
      expect([granted, required, grants(granted, required)]).toEqual([granted, required, covered]);
    }
  });

  it('covers everything that a covered permission covers', () => {
    const permission = fc.oneof(
      name,
      name.map((text) => `${text}.*`),
      fc.constant('*'),
    );
    const narrowed = fc
      .tuple(
        fc.constantFrom('session.read', 'session.write'),
        fc.oneof(
          name,
          name.map((text) => `${text}.*`),
        ),
      )
      .map(([base, attributes]) => `${base}:${attributes}`);
    const any = fc.oneof(permission, narrowed, fc.constantFrom('session.read', 'session.write', 'session.*'));
    fc.assert(
      fc.property(any, any, any, (a, b, c) => {
        fc.pre(grants(a, b) && grants(b, c));
        expect(grants(a, c)).toBe(true);
      }),
      { numRuns: 300, maxSkipsPerRun: 10_000 },
    );
  });
});

describe('coversForSomeAttributes', () => {
  it('includes the whole permission in a narrowed one, and no other permission', () => {
    expect(grantsForSomeAttributes('session.read:cart.*', 'session.read')).toBe(true);
    expect(grantsForSomeAttributes('session.read:cart.*', 'session.write')).toBe(false);
    expect(grantsForSomeAttributes('session.*', 'session.read')).toBe(true);
    expect(grantsForSomeAttributes('session.list', 'session.read')).toBe(false);
  });
});

describe('isUnknownPermission', () => {
  it.each([
    ...SESSION_PERMISSIONS,
    '*',
    'session.*',
    'service.*',
    'session.read:cart.*',
    'order.raed',
    'sessions.raed',
  ])('accepts %s', (text) => expect(isUnknownPermission(text)).toBe(false));

  it.each([
    'session',
    'session.raed',
    'session.read.all',
    'session.read.*',
    'Session.read',
    'SERVICE.*',
    'service.write',
  ])('detects the misspelt %s', (text) => expect(isUnknownPermission(text)).toBe(true));
});
