import { validate } from 'uuid';
import { type RecordedEndReason, isEndReason, isRecordedEndReason } from '../../../model/end-reason.js';
import type { SessionRecord, SessionTombstone } from '../../session-record.js';
import type { SessionEntry } from '../../shared/session-entry.js';
import { ByteReader, packText } from './bytes.js';

/**
 * The first byte of a record, and the format of the store. The layout of a session (numbers are little-endian; a text is a length of two bytes and
 * UTF-8):
 *
 * | bytes | live (`L`)                  | ended (`E`)                     |
 * | ----- | --------------------------- | ------------------------------- |
 * | 1     | format                      | format                          |
 * | 1     | `L`                         | `E`                             |
 * | 4     | version                     | version                         |
 * | 4     | place in the list           | place in the history            |
 * | 8     | createdAt                   | createdAt                       |
 * | 8     | lastAccessedAt              | lastAccessedAt                  |
 * | 8     | expiresAt                   | endedAt                         |
 * | 8     | absoluteExpiresAt, 0: none  | purgeAt                         |
 * | 8     | idleTimeoutMs, 0: none      | graceEndsAt, 0: none            |
 * | 8     | historyRetentionMs          | 0                               |
 * | 2     | length of the identity      | length of the identity          |
 * | …     | identity                    | identity                        |
 * | …     | token digest, or absent     | token digest, or absent         |
 * | rest  | payload                     | ending                          |
 *
 * The identity consists of the session id (36 characters) and the texts login id, device (or absent) and service id; it
 * never changes. The token digest is a text, too. The ending consists of the texts reason, ended by, actor (or absent) and
 * successor (or absent). Scripts read the header, and copy the other parts unchanged. Times are doubles, in epoch
 * milliseconds.
 *
 * Formats up to {@link LAST_OF_LAYOUT} keep this header, identity and digest, and may add to the ending; the payload may be
 * anything. So releases of the same layout list, count, touch, expire and end each other's sessions. A record with another
 * layout has a format up to {@link LAST_FORMAT}, followed by its state, so that it differs from a value that is no record.
 */
export const FORMAT = 2;
/**
 * The oldest format whose releases work with what this one writes, and the first of these releases. A store records it:
 * processes of earlier releases refuse to start, and those that run stop using it within a heartbeat. It is raised when a
 * release writes what an earlier one would damage, such as another layout; not for another payload.
 */
export const OLDEST: { readonly format: number; readonly release: string } = { format: 2, release: '0.1.0' };
/** Without the token digest, which was in the payload. Such a record is read, and the next write replaces it. */
export const FIRST_FORMAT = 1;
/** The last format with the layout above. */
export const LAST_OF_LAYOUT = 15;
const LAST_FORMAT = 31;
export const HEADER_BYTES = 60;
/** A UUID as text, because a script compares it with the field that it was found under. */
export const SESSION_ID_BYTES = 36;
const LIVE = 'L'.charCodeAt(0);
const ENDED = 'E'.charCodeAt(0);

/** A value that this release cannot read. `newerFormat` is true if a later release wrote it. */
export class UnreadableValueError extends Error {
  constructor(readonly newerFormat: boolean) {
    super(newerFormat ? 'The value has a newer format' : 'The value is not a valid record');
  }
}

/** The fields of a session that never change. */
export interface SessionIdentity {
  readonly sessionId: string;
  readonly loginId: string;
  readonly device?: string;
  readonly serviceId: string;
}

export function packIdentity({ sessionId, loginId, device, serviceId }: SessionIdentity): Buffer {
  return Buffer.concat([Buffer.from(sessionId, 'latin1'), packText(loginId), packText(device), packText(serviceId)]);
}

export function unpackIdentity(reader: ByteReader): SessionIdentity {
  const sessionId = reader.take(SESSION_ID_BYTES).toString('latin1');
  if (!validate(sessionId)) throw new RangeError('A session id is invalid');
  const [loginId, device, serviceId] = [reader.text(), reader.optionalText(), reader.text()];
  return { sessionId, loginId, serviceId, ...(device !== undefined && { device }) };
}

/** How a session ended, as it is stored and published. */
export interface StoredEnding {
  readonly reason: RecordedEndReason;
  readonly by: string;
  readonly actor?: string;
  readonly rotatedTo?: string;
}

export function packEnding({ reason, by, actor, rotatedTo }: StoredEnding): Buffer {
  return Buffer.concat([packText(reason), packText(by), packText(actor), packText(rotatedTo)]);
}

export function unpackEnding(reader: ByteReader): StoredEnding {
  const [reason, by, actor, rotatedTo] = [reader.text(), reader.text(), reader.optionalText(), reader.optionalText()];
  if (!isRecordedEndReason(reason)) throw new RangeError('The reason of an ending is invalid');
  if (reason === 'rotated' ? rotatedTo === undefined : isEndReason(reason) && rotatedTo !== undefined)
    throw new RangeError('Only a rotated session has a successor');
  return { reason, by, ...(actor !== undefined && { actor }), ...(rotatedTo !== undefined && { rotatedTo }) };
}

/**
 * Reads a record or tombstone. The `purgeAt` of a live session is calculated from its expiry.
 *
 * @throws {UnreadableValueError} when the value is not valid.
 */
export function unpackRedisSession(value: Buffer): SessionEntry {
  try {
    return unpack(value);
  } catch (error) {
    throw error instanceof UnreadableValueError ? error : new UnreadableValueError(false);
  }
}

/** What is known of a session whose record cannot be read. */
export interface LostSession {
  readonly sessionId: string;
  readonly isNewer: boolean;
  /** Absent if it cannot be read either. */
  readonly identity?: SessionIdentity;
}

/** Returns what is known of a live session whose record cannot be read; `undefined` if the session has ended. */
export function lostSession(sessionId: string, value: Buffer): LostSession | undefined {
  if (value[1] === ENDED) return undefined;
  const isNewer = hasLaterLayout(value);
  try {
    const identityEnd = HEADER_BYTES + value.readUInt16LE(HEADER_BYTES - 2);
    const reader = new ByteReader(value.subarray(HEADER_BYTES, identityEnd));
    const identity = unpackIdentity(reader);
    const isIntact = reader.isAtEnd && identityEnd <= value.length && identity.sessionId === sessionId;
    return { sessionId, isNewer, ...(isIntact && { identity }) };
  } catch {
    return { sessionId, isNewer };
  }
}

/** Whether a later release wrote the value, with another layout. */
function hasLaterLayout(value: Buffer): boolean {
  const [format = 0, state] = value;
  return format > LAST_OF_LAYOUT && format <= LAST_FORMAT && (state === LIVE || state === ENDED);
}

/** Uses the offsets of the table above, because this is the hot path of every read. */
function unpack(value: Buffer): SessionEntry {
  const format = value.readUInt8(0);
  const isNewer = format > FORMAT;
  if (format < FIRST_FORMAT || format > LAST_OF_LAYOUT) throw new UnreadableValueError(hasLaterLayout(value));
  const state = value.readUInt8(1);
  const identityEnd = HEADER_BYTES + value.readUInt16LE(HEADER_BYTES - 2);
  const identity = new ByteReader(value.subarray(HEADER_BYTES, identityEnd));
  const names = unpackIdentity(identity);
  if (!identity.isAtEnd || identityEnd > value.length) throw new UnreadableValueError(false);
  const body = new ByteReader(value.subarray(identityEnd));
  const tokenDigest = format === FIRST_FORMAT ? undefined : body.optionalText();
  const place = value.readUInt32LE(6);
  const header = {
    ...names,
    version: value.readUInt32LE(2),
    createdAt: time(value, 10),
    lastAccessedAt: time(value, 18),
  };
  const [end, limit, span] = [time(value, 26), time(value, 34), time(value, 42)];
  if (state === LIVE) {
    const session: SessionRecord = {
      state: 'live',
      ...header,
      ...(span > 0 && { idleTimeoutMs: span }),
      expiresAt: end,
      ...(limit > 0 && { absoluteExpiresAt: limit }),
      ...(tokenDigest !== undefined && { tokenDigest }),
      payload: isNewer ? new Uint8Array() : new Uint8Array(body.take()),
    };
    return { session, place, purgeAt: end + time(value, 50), ...(isNewer && { unreadable: 'newer-format' }) };
  }
  if (state !== ENDED) throw new UnreadableValueError(false);
  const { reason, by, actor, rotatedTo } = unpackEnding(body);
  if (!body.isAtEnd && !isNewer) throw new UnreadableValueError(false);
  const session: SessionTombstone = {
    state: 'ended',
    ...header,
    ...(tokenDigest !== undefined && { tokenDigest }),
    reason,
    endedAt: end,
    endedBy: by,
    ...(actor !== undefined && { actor }),
    ...(rotatedTo !== undefined && { rotatedTo, graceEndsAt: span }),
  };
  return { session, place, purgeAt: limit };
}

function time(value: Buffer, offset: number): number {
  const milliseconds = value.readDoubleLE(offset);
  if (!Number.isSafeInteger(milliseconds) || milliseconds < 0) throw new UnreadableValueError(false);
  return milliseconds;
}

/** Returns the record that a script wrote. The reply omits the payload, which the caller has. */
export function writtenRecord(head: Buffer, payload: Uint8Array = new Uint8Array()): SessionRecord {
  return unpackRedisSession(Buffer.concat([head, payload])).session as SessionRecord;
}
