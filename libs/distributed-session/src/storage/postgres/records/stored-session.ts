import { END_REASONS, type EndReason } from '../../../model/end-reason.js';
import { asSeenAt } from '../../session-lifetime.js';
import type { SessionRecord, SessionTombstone, StoredSession } from '../../session-record.js';
import { unescapeText } from './escaped-text.js';
import { RowReader } from './row-reader.js';

/** The columns of a session, in the order in which they are read. */
const COLUMNS = [
  'session_id',
  'login_id',
  'service_id',
  'device',
  'version',
  'place',
  'created_at',
  'last_accessed_at',
  'idle_timeout_ms',
  'absolute_expires_at',
  'expires_at',
  'sweep_at',
  'payload',
  'ended_at',
  'reason',
  'ended_by',
  'actor',
  'rotated_to',
  'grace_ends_at',
] as const;

/** What to select of a session: columns of a table, or of the row that a function returned. */
export function sessionColumns(row: string): string {
  return COLUMNS.map((column) => `${row}.${column}`).join(', ');
}

/** A session as it was read, with where it stands among those of its login. */
export interface UnpackedSession {
  readonly session: StoredSession;
  /** Orders live sessions by creation, and tombstones that ended in one millisecond. */
  readonly place: number;
  /** From when on a tombstone is forgotten. */
  readonly forgetAt: number;
}

/** Reads the columns of a session. Throws an `UnreadableRowError` where they are none that this library wrote. */
export function unpackSession(row: RowReader): UnpackedSession {
  const [sessionId, loginId, serviceId, device] = [row.text(), row.text(), row.text(), row.optionalText()];
  const [version, place, createdAt, lastAccessedAt] = [row.whole(), row.whole(), row.whole(), row.whole()];
  const [idleTimeoutMs, absoluteExpiresAt, expiresAt] = [row.optionalWhole(), row.optionalWhole(), row.whole()];
  const [forgetAt, payload, endedAt] = [row.whole(), row.optionalBytes(), row.optionalWhole()];
  const header = {
    sessionId,
    loginId: unescapeText(loginId),
    serviceId: unescapeText(serviceId),
    ...(device !== undefined && { device: unescapeText(device) }),
    version,
    createdAt,
    lastAccessedAt,
  };
  if (endedAt !== undefined) return { session: { ...header, ...unpackEnding(row, endedAt) }, place, forgetAt };
  const session: SessionRecord = {
    state: 'live',
    ...header,
    ...(idleTimeoutMs !== undefined && { idleTimeoutMs }),
    expiresAt,
    ...(absoluteExpiresAt !== undefined && { absoluteExpiresAt }),
    payload: payload ?? new Uint8Array(),
  };
  return { session, place, forgetAt };
}

type Ending = Omit<SessionTombstone, keyof SessionRecord> & Pick<SessionTombstone, 'state'>;

function unpackEnding(row: RowReader, endedAt: number): Ending {
  const [reason, endedBy, actor] = [row.text(), row.text(), row.optionalText()];
  const [rotatedTo, graceEndsAt] = [row.optionalText(), row.optionalWhole()];
  if (!isEndReason(reason)) throw row.unreadable();
  return {
    state: 'ended',
    reason,
    endedAt,
    endedBy: unescapeText(endedBy),
    ...(actor !== undefined && { actor: unescapeText(actor) }),
    ...(rotatedTo !== undefined && { rotatedTo, graceEndsAt }),
  };
}

function isEndReason(reason: string): reason is EndReason {
  return (END_REASONS as readonly string[]).includes(reason);
}

/** A session as it may be seen at `now`: a due one as its tombstone, one that is past its history not at all. */
export function seen({ session, forgetAt }: UnpackedSession, now: number): StoredSession | undefined {
  return session.state === 'ended' && !(now < forgetAt) ? undefined : asSeenAt(session, now);
}
