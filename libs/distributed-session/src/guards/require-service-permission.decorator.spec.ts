import { describe, expect, it } from '@jest/globals';
import { RequireServicePermission, forSomeAttributes, requirementsOf } from './require-service-permission.decorator.js';

type Given = Parameters<typeof RequireServicePermission>;

function names(subject: object): string[] {
  return requirementsOf(subject).map(({ permission }) => permission);
}

describe('RequireServicePermission', () => {
  it.each([[[undefined]], [[null]], [[7]], [['']], [['session..read']], [['session.read', undefined]], [[{}]]])(
    'refuses %j when the class is loaded, with an error that names it',
    (given) => {
      const decorate = () => RequireServicePermission(...(given as unknown as Given));
      expect(decorate).toThrow(
        expect.objectContaining({ code: 'ERR_SERVICE_INPUT', field: '@RequireServicePermission()' }),
      );
    },
  );

  it('refuses to ask for nothing', () => {
    expect(() => RequireServicePermission(...([] as unknown as Given))).toThrow(
      expect.objectContaining({ code: 'ERR_OPTIONS' }),
    );
  });

  it('adds up what is written on one class, and what it inherits, without changing the parent', () => {
    @RequireServicePermission('session.read')
    class Parent {
      readonly name = 'parent';
    }
    @RequireServicePermission(forSomeAttributes('session.write'))
    @RequireServicePermission('session.list')
    class Child extends Parent {}
    expect(names(Child)).toEqual(['session.read', 'session.list', 'session.write']);
    expect(names(Parent)).toEqual(['session.read']);
    expect(requirementsOf(Child).map(({ partly: isPartly }) => isPartly)).toEqual([false, false, true]);
  });
});
