import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { SessionInputError } from '../../errors/session.errors.js';
import { packCursor, unpackCursor } from './login-cursor.js';

const loginIds = fc.string({ unit: 'binary', minLength: 1, maxLength: 60 });

/** The cursor for the login id in a cursor; `undefined` for one that is refused. */
function repackedFrom(cursor: string): string | undefined {
  try {
    return packCursor(unpackCursor(cursor));
  } catch (error) {
    if (error instanceof SessionInputError) return undefined;
    throw error;
  }
}

describe('a cursor over logins', () => {
  it('gives the login id back as it was, whatever its characters are', () => {
    fc.assert(
      fc.property(loginIds, (loginId) => {
        expect(unpackCursor(packCursor(loginId))).toBe(loginId);
      }),
    );
  });

  it('needs no escaping in a URL', () => {
    fc.assert(
      fc.property(loginIds, (loginId) => {
        expect(packCursor(loginId)).toMatch(/^after:[\w-]+$/u);
      }),
    );
  });

  it.each([
    '',
    'after:',
    'after',
    '0',
    'alice',
    'AFTER:YWxpY2U',
    'after:YWxpY2U=',
    'after:YWxpY2U\n',
    'after:YWxpY2U ',
    'after:_w',
    'after:YWxpY2V',
  ])('that was not made here is refused: %j', (cursor) => {
    expect(() => unpackCursor(cursor)).toThrow(SessionInputError);
  });

  it('is refused, or that of a login, when it is any text', () => {
    const edited = fc.tuple(loginIds, fc.string()).map(([loginId, added]) => packCursor(loginId) + added);
    fc.assert(
      fc.property(fc.oneof(edited, fc.string()), (cursor) => {
        expect([undefined, cursor]).toContain(repackedFrom(cursor));
      }),
    );
  });
});
