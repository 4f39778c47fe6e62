import { SessionEndedError, SessionNotFoundError } from '../errors/session.errors.js';
import { StorageCorruptError } from '../errors/storage.errors.js';
import type { IssuedSession, Session, SessionHistoryEntry } from '../model/session.js';
import type { ServiceAccess } from '../service/service-access.js';
import type { SessionRecord, SessionTombstone, StoredSession } from '../storage/session-record.js';
import type { SessionStorage } from '../storage/session-storage.js';
import { type SessionPayload, decodePayload } from './session-payload.js';
import { SessionWithToken } from './session-with-token.js';

/** A live session as the manager works with it: the stored record and its decoded payload. */
export interface OpenSession {
  readonly record: SessionRecord;
  readonly payload: SessionPayload;
}

/** Returns what the storage holds under an id, after checking that it belongs to this id. */
export async function readSession(storage: SessionStorage, sessionId: string): Promise<StoredSession | undefined> {
  const stored = await storage.get(sessionId);
  if (stored) assertIsSession(stored, sessionId);
  return stored;
}

/** Returns the digest of a session's token. Records of earlier builds have it in their payload. */
export function tokenDigestOf(stored: StoredSession): string | undefined {
  if (stored.state === 'ended' || stored.tokenDigest !== undefined) return stored.tokenDigest;
  return openSession(stored).payload.tokenDigest;
}

/** Throws if the storage returned a session other than the requested one (CWE-488). */
export function assertIsSession(stored: StoredSession, sessionId: string): void {
  if (stored.sessionId === sessionId) return;
  throw new StorageCorruptError(`The storage returned a session other than the requested ${sessionId}.`);
}

/** Opens a record after checking that it is intact. */
export function openSession(record: SessionRecord): OpenSession {
  const { sessionId, version, createdAt, lastAccessedAt, expiresAt, idleTimeoutMs = 0, absoluteExpiresAt = 0 } = record;
  const numbers = [version, createdAt, lastAccessedAt, expiresAt, idleTimeoutMs, absoluteExpiresAt];
  if (!numbers.every(Number.isSafeInteger)) {
    throw new StorageCorruptError(`The stored session ${sessionId} is corrupt: its times are not whole numbers.`);
  }
  return { record, payload: decodePayload(record.payload, sessionId) };
}

/** Opens a live session; throws {@link SessionNotFoundError} or {@link SessionEndedError} if it is not live. */
export function openLive(stored: StoredSession | undefined, sessionId: string): OpenSession {
  if (!stored) throw new SessionNotFoundError(sessionId);
  if (stored.state === 'ended') throw endedError(stored, sessionId);
  return openSession(stored);
}

export function endedError(tombstone: SessionTombstone, sessionId = tombstone.sessionId): SessionEndedError {
  return new SessionEndedError(sessionId, tombstone);
}

/**
 * Returns the frozen snapshot for a caller: without token digests, and with the attributes that it may read. Only a
 * reader, or a caller that lists a user's devices, sees the device and the client.
 */
export function toSession(
  { record, payload }: OpenSession,
  access: ServiceAccess,
  showsDevice = access.isReader,
): Session {
  const { state, tokenDigest, payload: packed, device, ...header } = record;
  const { client } = payload;
  return Object.freeze({
    ...header,
    ...(showsDevice && device !== undefined && { device }),
    ...(showsDevice && client && { client }),
    attributes: access.visible(payload.attributes),
  });
}

/** Returns the snapshot with the token, which no dump of the object shows. */
export function toIssuedSession(open: OpenSession, access: ServiceAccess, token: string): IssuedSession {
  return new SessionWithToken(toSession(open, access), token) as unknown as IssuedSession;
}

export function toHistoryEntry(tombstone: SessionTombstone): SessionHistoryEntry {
  const { state, graceEndsAt, tokenDigest, version, ...entry } = tombstone;
  return Object.freeze(entry);
}
