import { describe, expect, it } from '@jest/globals';
import { RequireServicePermission, forSomeAttributes } from './decorators.js';
import { requirementsOf } from './route-requirements.js';

type Given = Parameters<typeof RequireServicePermission>;

function names(subject: object): string[] {
  return requirementsOf(subject, undefined).map(({ permission }) => permission);
}

describe('RequireServicePermission', () => {
  it.each([[[undefined]], [[null]], [[7]], [['']], [['session..read']], [['session.read', undefined]], [[{}]]])(
    'rejects the arguments %j when the class is loaded, and its error names the decorator',
    (given) => {
      const decorate = () => RequireServicePermission(...(given as unknown as Given));
      expect(decorate).toThrow(
        expect.objectContaining({ code: 'ERR_SERVICE_INPUT', field: '@RequireServicePermission()' }),
      );
    },
  );

  it('requires at least one permission', () => {
    expect(() => RequireServicePermission(...([] as unknown as Given))).toThrow(
      expect.objectContaining({ code: 'ERR_OPTIONS' }),
    );
  });

  it('combines the permissions of one class with inherited ones, without changing the parent', () => {
    @RequireServicePermission('session.read')
    class Parent {
      readonly name = 'parent';
    }
    @RequireServicePermission(forSomeAttributes('session.write'))
    @RequireServicePermission('session.list')
    class Child extends Parent {}
    expect(names(Child)).toEqual(['session.read', 'session.list', 'session.write']);
    expect(names(Parent)).toEqual(['session.read']);
    expect(requirementsOf(Child, undefined).map((requirement) => requirement.forSomeAttributes)).toEqual([
      false,
      false,
      true,
    ]);
  });
});
