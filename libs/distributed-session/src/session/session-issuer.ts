import { SessionConflictError, SessionLimitError, SessionNotFoundError } from '../errors/session.errors.js';
import { StorageCorruptError } from '../errors/storage.errors.js';
import type { ResolvedOptions } from '../resolve-options.js';
import type { SessionRecord } from '../storage/session-record.js';
import type { CreateSession } from '../storage/session-storage.operations.js';
import type { SessionAttributes } from '../model/attributes.js';
import { type OpenSession, assertAnswers, endedError, openLive, openSession } from './open-session.js';
import { MAX_GRACE_HOPS, readSession } from './rotation-grace.js';
import { digestToken, generateToken } from './session-credential.js';
import type { SessionClient } from '../model/session.js';
import { type SessionPayload, encodePayload } from './session-payload.js';
import type { SessionTimeouts } from '../model/session-timeouts.js';

/** Ids are random or nearly so: a second one that is taken means that something is wrong. */
const MAX_ID_ATTEMPTS = 3;
/** How often a rotation is repeated on a newer version before its caller is told. Each time, somebody else did write. */
const MAX_ROTATION_ATTEMPTS = 100;

/** A session and the token that was issued for it. */
export interface Issued {
  readonly open: OpenSession;
  readonly token: string;
}

export interface NewSession {
  readonly loginId: string;
  readonly token?: string;
  readonly device?: string;
  readonly client?: SessionClient;
  readonly attributes: SessionAttributes;
  readonly timeouts: SessionTimeouts;
}

/** Issues credentials: creates sessions and rotates them. */
export class SessionIssuer {
  constructor(private readonly options: ResolvedOptions) {}

  async create(
    { loginId, token = generateToken(), device, client, attributes, timeouts }: NewSession,
    by: string,
  ): Promise<Issued> {
    const { storage, maxSessionsPerLogin, maxSessionsPerDevice, onLimit, historyRetentionMs } = this.options;
    const payload = encodePayload({ tokenDigest: digestToken(token), attributes, client, predecessors: [] });
    const creation: Omit<CreateSession, 'sessionId'> = {
      loginId,
      device,
      ...timeouts,
      payload,
      limits: { perLogin: maxSessionsPerLogin, perDevice: maxSessionsPerDevice, onLimit },
      by,
      historyRetentionMs,
    };
    for (let attempt = 0; attempt < MAX_ID_ATTEMPTS; attempt++) {
      const sessionId = storage.nextSessionId(loginId);
      const result = await storage.create({ ...creation, sessionId });
      if (result.outcome === 'created') return issued(result.session, sessionId, loginId, token);
      if (result.outcome === 'limit-reached') {
        if (result.scope === 'device') throw new SessionLimitError(maxSessionsPerDevice!, device);
        throw new SessionLimitError(maxSessionsPerLogin);
      }
    }
    throw new StorageCorruptError(
      `The storage found ${MAX_ID_ATTEMPTS} new session ids taken. Its ids are not unique.`,
    );
  }

  /**
   * Gives a session a new id and token. Of several at once one wins; the others find the session ended as `rotated`.
   * A write that comes in between is kept: the rotation is repeated on the newer version.
   */
  async rotate(sessionId: string, by: string): Promise<Issued> {
    const { storage, rotationGraceMs, historyRetentionMs } = this.options;
    const token = generateToken();
    let { record, payload } = openLive(await readSession(storage, sessionId), sessionId);
    for (let attempt = 0; attempt < MAX_ROTATION_ATTEMPTS; attempt++) {
      const successorId = storage.nextSessionId(record.loginId);
      const result = await storage.rotate({
        sessionId,
        expectedVersion: record.version,
        successor: { sessionId: successorId, payload: encodePayload(succeed(sessionId, payload, token)) },
        graceMs: rotationGraceMs,
        by,
        historyRetentionMs,
      });
      if (result.outcome === 'rotated') return issued(result.session, successorId, record.loginId, token);
      if (result.outcome === 'missing') throw new SessionNotFoundError(sessionId);
      if (result.outcome === 'id-taken') continue;
      assertAnswers(result.session, sessionId);
      if (result.outcome === 'ended') throw endedError(result.session);
      ({ record, payload } = openSession(result.session));
    }
    throw new SessionConflictError(sessionId, record.version - 1, record.version);
  }
}

function succeed(sessionId: string, payload: SessionPayload, token: string): SessionPayload {
  const predecessors = [...payload.predecessors, { sessionId, tokenDigest: payload.tokenDigest }].slice(
    -MAX_GRACE_HOPS,
  );
  return { ...payload, tokenDigest: digestToken(token), predecessors };
}

function issued(record: SessionRecord, sessionId: string, loginId: string, token: string): Issued {
  assertAnswers(record, sessionId);
  if (record.loginId !== loginId) throw new StorageCorruptError(`The storage gave session ${sessionId} another login.`);
  return { open: openSession(record), token };
}
