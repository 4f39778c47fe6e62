import type { SessionRecord, SessionTombstone } from 'nestjs-distributed-session/storage';

/** A session's place among those of its user, and the retention of its history. */
export interface PackedPlace {
  readonly place: number;
  readonly historyRetentionMs: number;
}

/** Packs a text as `docs/data-models.md` describes it; `undefined` is an absent text. */
export function packedText(text: string | undefined): Buffer {
  if (text === undefined) return Buffer.from([0xff, 0xff]);
  return Buffer.concat([uint16(Buffer.byteLength(text)), Buffer.from(text)]);
}

/** Packs the fields of a session that never change. */
export function packedIdentity({
  sessionId,
  loginId,
  device,
  serviceId,
}: Pick<SessionRecord, 'sessionId' | 'loginId' | 'device' | 'serviceId'>): Buffer {
  const id = Buffer.from(sessionId, 'latin1');
  return Buffer.concat([id, ...[loginId, device, serviceId].map(packedText)]);
}

/**
 * Packs a live session by the table in `docs/data-models.md`, without code of the library. Format 1 has no token digest.
 */
export function packedRecord(session: SessionRecord, { place, historyRetentionMs }: PackedPlace, format = 2): Buffer {
  const { version, createdAt, lastAccessedAt, expiresAt, absoluteExpiresAt = 0, idleTimeoutMs = 0 } = session;
  const times = [createdAt, lastAccessedAt, expiresAt, absoluteExpiresAt, idleTimeoutMs, historyRetentionMs];
  return Buffer.concat([
    packedHeader(format, 'L', version, place, times),
    withLength(packedIdentity(session)),
    ...(format === 1 ? [] : [packedText(session.tokenDigest)]),
    session.payload,
  ]);
}

/** Packs an ended session. */
export function packedTombstone(
  session: SessionTombstone,
  { place, historyRetentionMs }: PackedPlace,
  format = 2,
): Buffer {
  const { version, createdAt, lastAccessedAt, endedAt, graceEndsAt = 0 } = session;
  const times = [createdAt, lastAccessedAt, endedAt, endedAt + historyRetentionMs, graceEndsAt, 0];
  const ending = [session.reason, session.endedBy, session.actor, session.rotatedTo].map(packedText);
  return Buffer.concat([
    packedHeader(format, 'E', version, place, times),
    withLength(packedIdentity(session)),
    ...(format === 1 ? [] : [packedText(session.tokenDigest)]),
    ...ending,
  ]);
}

/** Packs a whole number into four bytes. */
export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

/** Packs a time, or another number, into eight bytes. */
export function double(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return bytes;
}

function packedHeader(
  format: number,
  state: 'L' | 'E',
  version: number,
  place: number,
  times: readonly number[],
): Buffer {
  return Buffer.concat([
    Buffer.from([format]),
    Buffer.from(state),
    uint32(version),
    uint32(place),
    ...times.map(double),
  ]);
}

function withLength(bytes: Buffer): Buffer {
  return Buffer.concat([uint16(bytes.length), bytes]);
}

function uint16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return bytes;
}
