import { SessionInputError } from '../../errors/session.errors.js';

/** Where a page of logins ended, as callers pass it on. */
export function packCursor(loginId: string): string {
  return `after:${Buffer.from(loginId, 'utf8').toString('base64url')}`;
}

/** The login id in a cursor. Throws a {@link SessionInputError} for one that was not made here. */
export function unpackCursor(cursor: string): string {
  const [, encoded] = /^after:([\w-]+)$/.exec(cursor) ?? [];
  const loginId = Buffer.from(encoded ?? '', 'base64url').toString('utf8');
  if (loginId !== '' && packCursor(loginId) === cursor) return loginId;
  throw new SessionInputError('cursor', 'format', 'is not one that listLogins() returned; leave it out to start over.');
}
