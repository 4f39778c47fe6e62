import { StorageCorruptError } from '../../errors/storage.errors.js';
import { expiredTombstone, isDue } from '../session-lifetime.js';
import type { SessionRecord, SessionTombstone, StoredSession } from '../session-record.js';
import { HISTORY_LIMIT } from '../session-storage.js';
import type { PostgresConnections } from './postgres-connections.js';
import { type Row, RowReader } from './records/row-reader.js';
import { type UnpackedSession, seen, unpackSession } from './records/stored-session.js';
import { findSessionStatement } from './statements/find-session.statement.js';
import { listHistoryStatement } from './statements/list-history.statement.js';
import { listLoginStatement } from './statements/list-login.statement.js';
import type { PostgresStatement } from './statements/postgres-statement.js';
import { settleLoginStatement } from './statements/settle-login.statement.js';
import { settleSessionStatement } from './statements/settle-session.statement.js';
import { reportUnreadableSession, unreadableSession } from './unreadable-row.js';

/** A session, and the time by the server's clock at which it was read. */
interface ReadSession extends UnpackedSession {
  readonly now: number;
}

/**
 * Reads sessions by plain statements. Where a session is due and not claimed, a change under way may have kept it alive
 * and not be visible yet: then it is read again, behind that change. Two processes never disagree about an end.
 */
export class PostgresSessionReader {
  constructor(private readonly gateway: PostgresConnections) {}

  async find(sessionId: string): Promise<StoredSession | undefined> {
    const { connection } = this.gateway;
    const endsAt = connection.deadline();
    const [row] = await connection.run(findSessionStatement, { sessionId }, endsAt);
    if (row === undefined) return undefined;
    const read = this.#unpack(sessionId, row);
    if (!isUndecided(read)) return seen(read, read.now);
    const [settled] = await connection.run(settleSessionStatement, { sessionId }, endsAt);
    if (settled === undefined) return undefined;
    const again = this.#unpack(sessionId, settled);
    return seen(again, again.now);
  }

  async live(loginId: string): Promise<SessionRecord[]> {
    return (await this.#readLogin(listLoginStatement, loginId))
      .filter((entry) => seen(entry, entry.now)?.state === 'live')
      .toSorted((a, b) => a.place - b.place)
      .map(({ session }) => session as SessionRecord);
  }

  async history(loginId: string): Promise<SessionTombstone[]> {
    return (await this.#readLogin(listHistoryStatement, loginId))
      .map((entry) => ({ ...entry, claimed: entry.session.state === 'ended', shown: seen(entry, entry.now) }))
      .filter((entry): entry is typeof entry & { shown: SessionTombstone } => entry.shown?.state === 'ended')
      .toSorted(
        (a, b) => b.shown.endedAt - a.shown.endedAt || Number(a.claimed) - Number(b.claimed) || b.place - a.place,
      )
      .slice(0, HISTORY_LIMIT)
      .map(({ shown }) => shown);
  }

  /** The live session in the reply of a write. */
  recordOf(sessionId: string, reply: RowReader): SessionRecord {
    return this.#read(sessionId, reply).session as SessionRecord;
  }

  /** The tombstone in the reply of a write: of what had ended, or was due. */
  tombstoneOf(sessionId: string, reply: RowReader): SessionTombstone {
    const { session } = this.#read(sessionId, reply);
    return session.state === 'ended' ? session : expiredTombstone(session);
  }

  async #readLogin(statement: PostgresStatement<'loginId'>, loginId: string): Promise<ReadSession[]> {
    const { connection } = this.gateway;
    const endsAt = connection.deadline();
    const read = this.#unpackAll(await connection.run(statement, { loginId }, endsAt));
    if (!read.some(isUndecided)) return read;
    return this.#unpackAll(await connection.run(settleLoginStatement, { loginId }, endsAt));
  }

  #unpack(sessionId: string, row: Row): ReadSession {
    const reader = new RowReader(row);
    const now = reader.whole();
    return { ...this.#read(sessionId, reader), now };
  }

  #read(sessionId: string, reader: RowReader): UnpackedSession {
    let unpacked: UnpackedSession;
    try {
      unpacked = unpackSession(reader);
    } catch {
      throw unreadableSession(this.gateway.names, sessionId);
    }
    // A reply that belongs to another request is never data (CWE-488).
    if (unpacked.session.sessionId === sessionId) return unpacked;
    throw new StorageCorruptError(`PostgreSQL answered with another session than ${sessionId}, which was asked for.`);
  }

  /** One that cannot be read is reported, and does not keep the others from being listed. */
  #unpackAll(rows: readonly Row[]): ReadSession[] {
    return rows.flatMap((row) => {
      try {
        const reader = new RowReader(row);
        const now = reader.whole();
        return [{ ...unpackSession(reader), now }];
      } catch {
        reportUnreadableSession(this.gateway.names, row[1] ?? '');
        return [];
      }
    });
  }
}

/** Whether a session has an end that has come, and that nobody has claimed. */
function isUndecided({ session, now }: ReadSession): boolean {
  return session.state === 'live' && isDue(session, now);
}
