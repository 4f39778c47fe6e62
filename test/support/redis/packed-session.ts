import type { SessionRecord, SessionTombstone } from 'nestjs-distributed-session/storage';

/** Where a session stands among those of its login, and how long its history is kept. */
export interface PackedPlace {
  readonly place: number;
  readonly historyRetentionMs: number;
}

/** A text as `docs/data-models.md` has it; `undefined` for an absent one. */
export function packedText(text: string | undefined): Buffer {
  if (text === undefined) return Buffer.from([0xff, 0xff]);
  return Buffer.concat([uint16(Buffer.byteLength(text)), Buffer.from(text)]);
}

/** What never changes about a session. */
export function packedIdentity({
  sessionId,
  loginId,
  device,
  serviceId,
}: Pick<SessionRecord, 'sessionId' | 'loginId' | 'device' | 'serviceId'>): Buffer {
  const id = Buffer.from(sessionId, 'latin1');
  return Buffer.concat([id, ...[loginId, device, serviceId].map(packedText)]);
}

/** The value of a live session, made of the table in `docs/data-models.md` and nothing of the library. */
export function packedRecord(session: SessionRecord, { place, historyRetentionMs }: PackedPlace): Buffer {
  const { version, createdAt, lastAccessedAt, expiresAt, absoluteExpiresAt = 0, idleTimeoutMs = 0 } = session;
  const times = [createdAt, lastAccessedAt, expiresAt, absoluteExpiresAt, idleTimeoutMs, historyRetentionMs];
  return Buffer.concat([
    packedHeader('L', version, place, times),
    withLength(packedIdentity(session)),
    session.payload,
  ]);
}

/** The value of a session that has ended. */
export function packedTombstone(session: SessionTombstone, { place, historyRetentionMs }: PackedPlace): Buffer {
  const { version, createdAt, lastAccessedAt, endedAt, graceEndsAt = 0 } = session;
  const times = [createdAt, lastAccessedAt, endedAt, endedAt + historyRetentionMs, graceEndsAt, 0];
  const ending = [session.reason, session.endedBy, session.actor, session.rotatedTo].map(packedText);
  return Buffer.concat([packedHeader('E', version, place, times), withLength(packedIdentity(session)), ...ending]);
}

/** A whole number of four bytes. */
export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

/** A time, or another number of eight bytes. */
export function double(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return bytes;
}

function packedHeader(state: 'L' | 'E', version: number, place: number, times: readonly number[]): Buffer {
  return Buffer.concat([Buffer.from([1]), Buffer.from(state), uint32(version), uint32(place), ...times.map(double)]);
}

function withLength(bytes: Buffer): Buffer {
  return Buffer.concat([uint16(bytes.length), bytes]);
}

function uint16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return bytes;
}
