import { SessionInputError } from '../errors/session.errors.js';
import type { ListLogins } from '../storage/session-storage.operations.js';
import { assertKnownOptions } from './session-input.js';

const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 1_000;
const MAX_CURSOR_LENGTH = 512;

/** Checks what `listLogins()` was asked for. Whether the cursor is a good one, the storage knows. */
export function checkPage(page: Partial<ListLogins>): ListLogins {
  assertKnownOptions(page, ['limit', 'cursor']);
  const { limit = DEFAULT_LIMIT, cursor } = page;
  if (!Number.isSafeInteger(limit) || limit < 1 || limit > MAX_LIMIT) {
    throw new SessionInputError('limit', 'range', `must be a whole number, 1 to ${MAX_LIMIT}.`, MAX_LIMIT);
  }
  if (cursor === undefined) return { limit };
  if (typeof cursor !== 'string' || cursor === '' || cursor.length > MAX_CURSOR_LENGTH) {
    throw new SessionInputError('cursor', 'format', 'must be what the page before returned as nextCursor.');
  }
  return { limit, cursor };
}
