import { isEndReason } from '../../../model/end-reason.js';
import type { SessionRecord, SessionTombstone } from '../../session-record.js';
import type { SessionEntry } from '../../shared/session-entry.js';
import { unescapeText } from './escaped-text.js';
import { RowReader } from './row-reader.js';

/** The columns of a session, in reading order. */
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
  'token_digest',
  'ended_at',
  'reason',
  'ended_by',
  'actor',
  'rotated_to',
  'grace_ends_at',
] as const;

/** The select list of a session: the columns of a table, or of a row that a function returned. */
export function sessionColumns(row: string): string {
  return COLUMNS.map((column) => `${row}.${column}`).join(', ');
}

/** Reads the columns of a session. Throws an `UnreadableRowError` when this library did not write them. */
export function readSessionRow(row: RowReader): SessionEntry {
  const [sessionId, loginId, serviceId, device] = [row.text(), row.text(), row.text(), row.optionalText()];
  const [version, place, createdAt, lastAccessedAt] = [row.whole(), row.whole(), row.whole(), row.whole()];
  const [idleTimeoutMs, absoluteExpiresAt, expiresAt] = [row.optionalWhole(), row.optionalWhole(), row.whole()];
  const [purgeAt, payload, tokenDigest, endedAt] = [
    row.whole(),
    row.optionalBytes(),
    row.optionalText(),
    row.optionalWhole(),
  ];
  const digest = tokenDigest === undefined ? {} : { tokenDigest };
  const header = {
    sessionId,
    loginId: unescapeText(loginId),
    serviceId: unescapeText(serviceId),
    ...(device !== undefined && { device: unescapeText(device) }),
    version,
    createdAt,
    lastAccessedAt,
  };
  if (endedAt !== undefined) return { session: { ...header, ...digest, ...readEnding(row, endedAt) }, place, purgeAt };
  const session: SessionRecord = {
    state: 'live',
    ...header,
    ...(idleTimeoutMs !== undefined && { idleTimeoutMs }),
    expiresAt,
    ...(absoluteExpiresAt !== undefined && { absoluteExpiresAt }),
    ...digest,
    payload: payload ?? new Uint8Array(),
  };
  return { session, place, purgeAt };
}

type Ending = Omit<SessionTombstone, keyof SessionRecord> & Pick<SessionTombstone, 'state'>;

function readEnding(row: RowReader, endedAt: number): Ending {
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
