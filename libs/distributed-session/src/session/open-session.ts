import { SessionEndedError, SessionNotFoundError } from '../errors/session.errors.js';
import { StorageCorruptError } from '../errors/storage.errors.js';
import type { ServiceAccess } from '../service/service-access.js';
import type { SessionRecord, SessionTombstone, StoredSession } from '../storage/session-record.js';
import type { IssuedSession, Session, SessionHistoryEntry } from '../model/session.js';
import { formatCredential } from './session-credential.js';
import { type SessionPayload, decodePayload } from './session-payload.js';

/** A live session as the manager works with it: the stored record and what its payload says. */
export interface OpenSession {
  readonly record: SessionRecord;
  readonly payload: SessionPayload;
}

/** Throws unless the storage answered with the session that was asked for (CWE-488). */
export function assertAnswers(stored: StoredSession, askedId: string): void {
  if (stored.sessionId === askedId) return;
  throw new StorageCorruptError(`The storage answered with another session than ${askedId}, the one asked for.`);
}

/** Opens a record, after a check that it is whole. */
export function openSession(record: SessionRecord): OpenSession {
  const { sessionId, version, createdAt, lastAccessedAt, expiresAt, idleTimeoutMs = 0, absoluteExpiresAt = 0 } = record;
  const numbers = [version, createdAt, lastAccessedAt, expiresAt, idleTimeoutMs, absoluteExpiresAt];
  if (!numbers.every(Number.isSafeInteger)) {
    throw new StorageCorruptError(`The stored session ${sessionId} is corrupt: its times are not whole numbers.`);
  }
  return { record, payload: decodePayload(record.payload, sessionId) };
}

/** Opens what must be a live session; throws {@link SessionNotFoundError} or {@link SessionEndedError} if it is not. */
export function openLive(stored: StoredSession | undefined, askedId: string): OpenSession {
  if (!stored) throw new SessionNotFoundError(askedId);
  if (stored.state === 'ended') throw endedError(stored, askedId);
  return openSession(stored);
}

export function endedError(tombstone: SessionTombstone, askedId = tombstone.sessionId): SessionEndedError {
  return new SessionEndedError(askedId, tombstone);
}

/** The snapshot for a caller: frozen, without token digests, and with the attributes that it may see. */
export function toSession({ record, payload }: OpenSession, access: ServiceAccess): Session {
  const { state, payload: packed, ...header } = record;
  return Object.freeze({
    ...header,
    ...(payload.client && { client: payload.client }),
    attributes: access.visible(payload.attributes),
  });
}

/** The snapshot with the token in it, where enumeration, and so logging, does not find it. */
export function toIssuedSession(open: OpenSession, access: ServiceAccess, token: string): IssuedSession {
  const session = { ...toSession(open, access) };
  Object.defineProperty(session, 'token', { value: token });
  Object.defineProperty(session, 'credential', {
    value: formatCredential({ sessionId: session.sessionId, token }),
  });
  return Object.freeze(session) as IssuedSession;
}

export function toHistoryEntry(tombstone: SessionTombstone): SessionHistoryEntry {
  const { state, graceEndsAt, version, ...entry } = tombstone;
  return Object.freeze(entry);
}
