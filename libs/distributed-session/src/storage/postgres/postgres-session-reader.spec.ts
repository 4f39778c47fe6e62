import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { SessionInputError } from '../../errors/session.errors.js';
import { packCursor, unpackCursor } from './postgres-session-reader.js';

const loginIds = fc.string({ unit: 'binary', minLength: 1, maxLength: 60 });

/** The cursor for the login id in a cursor; `undefined` when the cursor is rejected. */
function repackedFrom(cursor: string): string | undefined {
  try {
    return packCursor(unpackCursor(cursor));
  } catch (error) {
    if (error instanceof SessionInputError) return undefined;
    throw error;
  }
}

describe('a cursor of listLogins()', () => {
  it('returns the login id, with any characters', () => {
    fc.assert(
      fc.property(loginIds, (loginId) => {
        expect(unpackCursor(packCursor(loginId))).toBe(loginId);
      }),
    );
  });

  it('requires no escaping in a URL', () => {
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
  ])('is rejected when packCursor() did not return it: %j', (cursor) => {
    expect(() => unpackCursor(cursor)).toThrow(SessionInputError);
  });

  it('is either rejected or the cursor of a login id, for any text', () => {
    const edited = fc.tuple(loginIds, fc.string()).map(([loginId, added]) => packCursor(loginId) + added);
    fc.assert(
      fc.property(fc.oneof(edited, fc.string()), (cursor) => {
        expect([undefined, cursor]).toContain(repackedFrom(cursor));
      }),
    );
  });
});
