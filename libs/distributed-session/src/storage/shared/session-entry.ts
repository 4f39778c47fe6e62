import { asSeenAt } from '../session-lifetime.js';
import type { UnreadableCause } from '../../model/session.js';
import type {
  ListedRecord,
  SessionRecord,
  SessionTombstone,
  StoredSession,
  UnreadableRecord,
} from '../session-record.js';
import { HISTORY_LIMIT } from '../session-storage.js';

/** A stored session, with its order among the sessions of its user. */
export interface SessionEntry {
  readonly session: StoredSession;
  /** Orders live sessions by creation, and tombstones of the same millisecond by their end. */
  readonly place: number;
  /** When the tombstone's retention ends. Decides nothing while the session is live. */
  readonly purgeAt: number;
  /** Why the payload cannot be read, although the rest can. Then `session` has an empty payload. */
  readonly unreadable?: UnreadableCause;
}

/** An entry, and the storage's time at which it was read. */
export interface TimedEntry extends SessionEntry {
  readonly now: number;
}

/** Returns a session as a reader sees it: its tombstone once it is due, and nothing after the tombstone's retention. */
export function visibleAt({ session, purgeAt }: SessionEntry, now: number): StoredSession | undefined {
  return session.state === 'ended' && !(now < purgeAt) ? undefined : asSeenAt(session, now);
}

/** A live session whose record cannot be read, with its order among the sessions of its user. */
export interface UnreadableEntry {
  readonly record: UnreadableRecord;
  /** {@link FIRST_PLACE} if it is unknown. */
  readonly place: number;
}

/** Before every session whose place is known. */
export const FIRST_PLACE = -1;

/** Returns the live sessions among a user's entries, in the order of their creation. */
export function liveOf(entries: readonly TimedEntry[], unreadable: readonly UnreadableEntry[] = []): ListedRecord[] {
  const live = entries
    .filter((entry) => visibleAt(entry, entry.now)?.state === 'live')
    .map(({ session, place, unreadable: cause }) => {
      const record = session as SessionRecord;
      return { place, record: cause === undefined ? record : unreadableRecord(record, cause) };
    });
  return [...unreadable, ...live].toSorted((a, b) => a.place - b.place).map(({ record }) => record);
}

function unreadableRecord(record: SessionRecord, cause: UnreadableCause): UnreadableRecord {
  const { payload, tokenDigest, ...header } = record;
  return { ...header, state: 'unreadable', cause };
}

/** Returns the newest tombstones among a user's entries, the last ended first, including those of unswept sessions. */
export function historyOf(entries: readonly TimedEntry[]): SessionTombstone[] {
  return entries
    .map((entry) => ({ ...entry, visible: visibleAt(entry, entry.now), isSwept: entry.session.state === 'ended' }))
    .filter((entry): entry is typeof entry & { visible: SessionTombstone } => entry.visible?.state === 'ended')
    .toSorted(
      (a, b) => b.visible.endedAt - a.visible.endedAt || Number(a.isSwept) - Number(b.isSwept) || b.place - a.place,
    )
    .slice(0, HISTORY_LIMIT)
    .map(({ visible }) => visible);
}
