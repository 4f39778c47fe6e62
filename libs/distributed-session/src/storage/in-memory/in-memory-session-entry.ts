import type { SessionRecord, SessionTombstone, StoredSession } from '../session-record.js';

/** One session id in memory, and what is stored under it now. */
export interface InMemorySessionEntry {
  session: StoredSession;
  /** When the tombstone goes. `Infinity` while the session lives. */
  purgeAt: number;
}

export type LiveEntry = InMemorySessionEntry & { session: SessionRecord };
export type EndedEntry = InMemorySessionEntry & { session: SessionTombstone };

export function isLive(entry: InMemorySessionEntry): entry is LiveEntry {
  return entry.session.state === 'live';
}

/** A copy that the caller may keep and change. Not `slice()`: of a `Buffer`, that shares the bytes. */
export function copyOf<T extends StoredSession>(session: T): T {
  return session.state === 'live' ? { ...session, payload: new Uint8Array(session.payload) } : { ...session };
}
