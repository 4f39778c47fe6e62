import type { SessionHeader } from '../../model/session.js';
import type { SessionRecord, SessionTombstone, StoredSession } from '../session-record.js';
import type { SessionUpdatedChange } from '../storage-change.js';

/** A session id in memory, and the live session or tombstone under it. */
export interface InMemorySessionEntry {
  session: StoredSession;
  /** When the tombstone is removed. `Infinity` while the session is live. */
  purgeAt: number;
}

export type LiveEntry = InMemorySessionEntry & { session: SessionRecord };
export type EndedEntry = InMemorySessionEntry & { session: SessionTombstone };

export function isLive(entry: InMemorySessionEntry): entry is LiveEntry {
  return entry.session.state === 'live';
}

/** Returns a copy that the caller may keep and change. Not by `slice()`, which shares the bytes of a `Buffer`. */
export function copyOf<T extends StoredSession>(session: T): T {
  return session.state === 'live' ? { ...session, payload: new Uint8Array(session.payload) } : { ...session };
}

/** Returns the fields that all changes of a session have. */
export function changeOf(session: SessionHeader, by: string, at: number): Omit<SessionUpdatedChange, 'type'> {
  const { sessionId, loginId, serviceId, device, version } = session;
  return { sessionId, loginId, serviceId, ...(device !== undefined && { device }), version, by, at };
}
