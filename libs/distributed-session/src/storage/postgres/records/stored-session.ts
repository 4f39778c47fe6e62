import { isRecordedEndReason } from '../../../model/end-reason.js';
import type { SessionRecord, SessionTombstone, UnreadableRecord } from '../../session-record.js';
import { FIRST_PLACE, type SessionEntry, type UnreadableEntry } from '../../shared/session-entry.js';
import { unescapeText } from './escaped-text.js';
import { RowReader, UnreadableRowError } from './row-reader.js';

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

/** A session is live, but its row cannot be read. The entry has what could be read. */
export class UnreadableSessionError extends UnreadableRowError {
  constructor(readonly entry: UnreadableEntry) {
    super('A session was not written by this library');
  }
}

/**
 * Reads the columns of a session. In an ended one, its end stands for times that cannot be read, so that its history still
 * shows why it ended.
 *
 * @throws {UnreadableSessionError} when a live session has numbers that this library did not write.
 * @throws {UnreadableRowError} when the row has another form.
 */
export function readSessionRow(row: RowReader): SessionEntry {
  const [sessionId, loginId, serviceId, device] = [row.text(), row.text(), row.text(), row.optionalText()];
  const [version, place] = [row.readableWhole(), row.readableWhole()];
  const [createdAt, lastAccessedAt] = [row.readableWhole(), row.readableWhole()];
  const [idleTimeoutMs, absoluteExpiresAt] = [row.readableWhole(), row.readableWhole()];
  const [expiresAt, purgeAt] = [row.readableWhole(), row.readableWhole()];
  const [payload, tokenDigest, endedAt] = [row.optionalBytes(), row.optionalText(), row.optionalWhole()];
  const names = {
    sessionId,
    loginId: unescapeText(loginId),
    serviceId: unescapeText(serviceId),
    ...(device !== undefined && { device: unescapeText(device) }),
  };
  const digest = tokenDigest === undefined ? {} : { tokenDigest };
  if (endedAt !== undefined) {
    const times = { version: version ?? 1, createdAt: createdAt ?? endedAt, lastAccessedAt: lastAccessedAt ?? endedAt };
    const session = { ...names, ...times, ...digest, ...readEnding(row, endedAt) };
    return { session, place: place ?? FIRST_PLACE, purgeAt: purgeAt ?? Infinity };
  }
  const timeouts = {
    ...(idleTimeoutMs !== undefined && { idleTimeoutMs }),
    ...(absoluteExpiresAt !== undefined && { absoluteExpiresAt }),
  };
  const required = { version, createdAt, lastAccessedAt, expiresAt };
  if (row.isDamaged || !hasAll(required) || place === undefined || purgeAt === undefined) {
    const known = Object.fromEntries(Object.entries(required).filter(([, number]) => number !== undefined));
    const record: UnreadableRecord = { state: 'unreadable', cause: 'corrupt', ...names, ...known, ...timeouts };
    throw new UnreadableSessionError({ record, place: place ?? FIRST_PLACE });
  }
  const session: SessionRecord = {
    state: 'live',
    ...names,
    ...required,
    ...timeouts,
    ...digest,
    payload: payload ?? new Uint8Array(),
  };
  return { session, place, purgeAt };
}

function hasAll<T extends Readonly<Record<string, number | undefined>>>(
  numbers: T,
): numbers is T & { readonly [Name in keyof T]: number } {
  return Object.values(numbers).every((number) => number !== undefined);
}

type Ending = Omit<SessionTombstone, keyof SessionRecord> & Pick<SessionTombstone, 'state'>;

function readEnding(row: RowReader, endedAt: number): Ending {
  const [reason, endedBy, actor] = [row.text(), row.text(), row.optionalText()];
  const [rotatedTo, graceEndsAt] = [row.optionalText(), row.optionalWhole()];
  if (!isRecordedEndReason(reason)) throw row.unreadable();
  return {
    state: 'ended',
    reason,
    endedAt,
    endedBy: unescapeText(endedBy),
    ...(actor !== undefined && { actor: unescapeText(actor) }),
    ...(rotatedTo !== undefined && { rotatedTo, graceEndsAt }),
  };
}
