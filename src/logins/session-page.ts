import { type ListedSession, SessionInputError } from 'nestjs-distributed-session';

/**
 * The sessions on one page, in bytes of JSON. To write a larger page would block the event loop. A session is larger
 * only if the attribute limits were raised.
 */
const MAX_PAGE_BYTES = 1_048_576;

const COMMA_BYTES = 1;

/** A page of a user's sessions. */
export interface SessionPage {
  readonly sessions: readonly ListedSession[];
  /** The number of the user's sessions on all pages. */
  readonly total: number;
  /** Absent on the last page. */
  readonly nextCursor?: string;
}

/**
 * Returns the page after `cursor`: `limit` sessions, or as many as fit, but at least one. `sessions` are ordered by creation
 * time; unreadable ones whose creation is unknown come first. If the cursor's session has ended, sessions created in the
 * same millisecond are listed again rather than skipped.
 */
export function pageOf(sessions: readonly ListedSession[], limit: number, cursor?: string): SessionPage {
  const start = cursor === undefined ? 0 : startAfter(sessions, parseCursor(cursor));
  const page = fitting(sessions.slice(start, start + limit));
  const last = page.at(-1);
  const isLast = last === undefined || start + page.length >= sessions.length;
  return { sessions: page, total: sessions.length, ...(!isLast && { nextCursor: cursorAfter(last) }) };
}

/** Returns the first sessions, as many as fit on a page, and at least one. */
function fitting(sessions: readonly ListedSession[]): readonly ListedSession[] {
  let bytes = 0;
  const tooMany = sessions.findIndex((session, index) => {
    bytes += Buffer.byteLength(JSON.stringify(session)) + COMMA_BYTES;
    return bytes > MAX_PAGE_BYTES && index > 0;
  });
  return tooMany < 0 ? sessions : sessions.slice(0, tooMany);
}

interface Position {
  readonly createdAt: number;
  readonly sessionId: string;
}

function startAfter(sessions: readonly ListedSession[], { createdAt, sessionId }: Position): number {
  const index = sessions.findIndex((session) => session.sessionId === sessionId);
  if (index >= 0) return index + 1;
  const next = sessions.findIndex((session) => (session.createdAt ?? 0) >= createdAt);
  return next < 0 ? sessions.length : next;
}

function cursorAfter({ createdAt = 0, sessionId }: ListedSession): string {
  return Buffer.from(`${createdAt}.${sessionId}`).toString('base64url');
}

function parseCursor(cursor: string): Position {
  const [, createdAt, sessionId] =
    /^(\d{1,15})\.([0-9a-f-]{36})$/.exec(Buffer.from(cursor, 'base64url').toString()) ?? [];
  if (sessionId !== undefined) return { createdAt: Number(createdAt), sessionId };
  throw new SessionInputError(
    'cursor',
    'format',
    'must be the nextCursor of the previous page. Omit it to start over.',
  );
}
