import { expiredTombstone, isDue } from '../session-lifetime.js';
import type { ListedRecord, SessionRecord, SessionTombstone, StoredSession } from '../session-record.js';
import type { ListLogins, LoginPage, SessionCounts } from '../session-storage.operations.js';
import {
  type SessionEntry,
  type TimedEntry,
  type UnreadableEntry,
  historyOf,
  liveOf,
  visibleAt,
} from '../shared/session-entry.js';
import { invalidCursor, otherSession } from '../shared/storage-failure.js';
import { readLoginExactly, readSessionExactly } from './functions/exact-reads.functions.js';
import type { PostgresStatement } from './functions/postgres-statement.js';
import type { PostgresConnections } from './postgres-connections.js';
import { escapeText, unescapeText } from './records/escaped-text.js';
import type { RowReader } from './records/row-reader.js';
import { UnreadableSessionError, readSessionRow } from './records/stored-session.js';
import { countSessions, findSession, listHistory, listLiveSessions, listLogins } from './statements.js';
import { reportUnreadableSession, unreadableSession } from './unreadable-row.js';

/** The result of a statement that reads sessions: the server's time, and the row. */
interface ReadResult {
  readonly now: number;
  readonly stored: RowReader;
}

/** The sessions of a user. */
interface ReadSessions {
  readonly entries: readonly TimedEntry[];
  readonly unreadable: readonly UnreadableEntry[];
}

const READ_COLUMNS = { now: 'bigint', stored: '{session}' } as const;

/**
 * Reads sessions by plain statements. When a session is due but has no tombstone, a transaction in flight may have
 * extended it. It is then read a second time, after that transaction, so that two processes never disagree about its end.
 */
export class PostgresSessionReader {
  constructor(private readonly connections: PostgresConnections) {}

  async find(sessionId: string): Promise<StoredSession | undefined> {
    const { connection } = this.connections;
    const endsAt = connection.deadline();
    const [result] = await connection.run(findSession, { sessionId }, endsAt);
    if (result === undefined) return undefined;
    const read = this.#timed(sessionId, result);
    if (!isUndecided(read)) return visibleAt(read, read.now);
    const [exact] = await connection.run(readSessionExactly, { sessionId }, endsAt);
    return exact && visibleAt(this.#timed(sessionId, exact), exact.now);
  }

  /** The live sessions of a user, oldest first. */
  async listLive(loginId: string): Promise<ListedRecord[]> {
    const { entries, unreadable } = await this.#readLogin(listLiveSessions, loginId);
    return liveOf(entries, unreadable);
  }

  /** The tombstones of a user, newest first. */
  async listHistory(loginId: string): Promise<SessionTombstone[]> {
    return historyOf((await this.#readLogin(listHistory, loginId)).entries);
  }

  async count(): Promise<SessionCounts> {
    const [counts] = await this.connections.connection.run(countSessions, {});
    return counts!;
  }

  async listLogins({ limit, cursor }: ListLogins): Promise<LoginPage> {
    const after = cursor === undefined ? '' : unpackCursor(cursor);
    const rows = await this.connections.connection.run(listLogins, { after: escapeText(after), limit });
    const logins = rows.map(({ loginId, sessions }) => ({ loginId: unescapeText(loginId), sessions }));
    const last = logins.at(-1);
    return { logins, ...(last && logins.length === limit && { nextCursor: packCursor(last.loginId) }) };
  }

  /** The live session in a write's reply. */
  recordOf(sessionId: string, stored: RowReader): SessionRecord {
    return this.#read(sessionId, stored).session as SessionRecord;
  }

  /** The tombstone in a write's reply: of a session that had ended or was due. */
  tombstoneOf(sessionId: string, stored: RowReader): SessionTombstone {
    const { session } = this.#read(sessionId, stored);
    return session.state === 'ended' ? session : expiredTombstone(session);
  }

  async #readLogin(
    statement: PostgresStatement<'loginId', typeof READ_COLUMNS>,
    loginId: string,
  ): Promise<ReadSessions> {
    const { connection } = this.connections;
    const endsAt = connection.deadline();
    const values = { loginId: escapeText(loginId) };
    const read = this.#readable(await connection.run(statement, values, endsAt));
    if (!read.entries.some(isUndecided)) return read;
    return this.#readable(await connection.run(readLoginExactly, values, endsAt));
  }

  #timed(sessionId: string, { now, stored }: ReadResult): TimedEntry {
    return { ...this.#read(sessionId, stored), now };
  }

  #read(sessionId: string, stored: RowReader): SessionEntry {
    let row: SessionEntry;
    try {
      row = readSessionRow(stored);
    } catch {
      throw unreadableSession(this.connections.names, sessionId);
    }
    if (row.session.sessionId !== sessionId) throw otherSession('PostgreSQL', sessionId);
    return row;
  }

  /** An unreadable row is reported, and does not prevent the others from being listed. */
  #readable(results: readonly ReadResult[]): ReadSessions {
    const entries: TimedEntry[] = [];
    const unreadable: UnreadableEntry[] = [];
    for (const { now, stored } of results) {
      const sessionId = stored.peek() ?? '';
      try {
        entries.push({ ...readSessionRow(stored), now });
      } catch (error) {
        reportUnreadableSession(this.connections.names, sessionId);
        if (!(error instanceof UnreadableSessionError)) continue;
        const { expiresAt = Infinity } = error.entry.record;
        if (now < expiresAt) unreadable.push(error.entry);
      }
    }
    return { entries, unreadable };
  }
}

/** Returns whether a session is past its end, but has no tombstone yet. */
function isUndecided({ session, now }: TimedEntry): boolean {
  return session.state === 'live' && isDue(session, now);
}

/** The cursor of a page of users that ended with this login id. */
export function packCursor(loginId: string): string {
  return `after:${Buffer.from(loginId, 'utf8').toString('base64url')}`;
}

/** The login id in a cursor. Throws a `SessionInputError` for a text that `packCursor()` did not return. */
export function unpackCursor(cursor: string): string {
  const [, encoded] = /^after:([\w-]+)$/.exec(cursor) ?? [];
  const loginId = Buffer.from(encoded ?? '', 'base64url').toString('utf8');
  if (loginId !== '' && packCursor(loginId) === cursor) return loginId;
  throw invalidCursor();
}
