import type { SessionHeader, SessionHistoryEntry, UnreadableCause } from '../model/session.js';

/** A live session, as stored. */
export interface SessionRecord extends SessionHeader {
  readonly state: 'live';
  /** Idle timeout in milliseconds. Absent if the session has none. */
  readonly idleTimeoutMs?: number;
  /** When the session expires: the earlier of the idle and the absolute end. From this millisecond on, it is due. */
  readonly expiresAt: number;
  /** The end that no access moves. Absent if the session has only an idle timeout. */
  readonly absoluteExpiresAt?: number;
  /** The digest of the session's token. Absent on records of earlier builds. Opaque to the storage. */
  readonly tokenDigest?: string;
  /** Attributes and client information, packed by the manager. Opaque to the storage. */
  readonly payload: Uint8Array;
}

/** An ended session: its identity, its token's digest and its end, without the payload. */
export interface SessionTombstone extends SessionHeader, SessionHistoryEntry {
  readonly state: 'ended';
  /** The digest of the session at its end: only a caller with the token learns why the session ended. */
  readonly tokenDigest?: string;
  /** The end of the grace period, in which the old credential works for `rotatedTo`. Only with `rotatedTo`. */
  readonly graceEndsAt?: number;
}

/**
 * A live session whose record cannot be read, in a user's list. It has the fields of its record that could be read. Where
 * not even the user's id could, `loginId` is the user in whose list it was found.
 */
export interface UnreadableRecord extends Partial<Omit<SessionRecord, 'state' | 'tokenDigest' | 'payload'>> {
  readonly state: 'unreadable';
  readonly cause: UnreadableCause;
  readonly sessionId: string;
  readonly loginId: string;
}

/** An entry in a user's list. */
export type ListedRecord = SessionRecord | UnreadableRecord;

/** The stored value of a session id: a live record or a tombstone. */
export type StoredSession = SessionRecord | SessionTombstone;
