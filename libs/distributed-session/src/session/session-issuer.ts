import { SessionConflictError, SessionLimitError, SessionNotFoundError } from '../errors/session.errors.js';
import { StorageCorruptError } from '../errors/storage.errors.js';
import type { SessionAttributes } from '../model/attributes.js';
import type { SessionTimeouts } from '../model/session-timeouts.js';
import type { SessionClient } from '../model/session.js';
import type { ResolvedOptions } from '../resolve-options.js';
import type { SessionRecord } from '../storage/session-record.js';
import type { SessionStorage } from '../storage/session-storage.js';
import type { CreateSession, RotateSession } from '../storage/session-storage.operations.js';
import type { AttributeWriters } from './attribute-shares.js';
import { type OpenSession, assertIsSession, endedError, openSession } from './open-session.js';
import { generateToken } from './session-credential.js';
import { encodePayload } from './session-payload.js';
import type { TokenDigests } from './token-digests.js';

/** Ids are practically unique: if a second one is taken, the storage is broken. */
const MAX_ID_ATTEMPTS = 3;
/** Attempts before a rotation is rejected as a conflict. Each failed attempt means that another writer succeeded. */
const MAX_ROTATION_ATTEMPTS = 100;

/** A session and the token issued for it. */
export interface Issued {
  readonly open: OpenSession;
  readonly token: string;
}

/** A login to create a session for, after its validation. */
export interface NewSession {
  readonly loginId: string;
  readonly token?: string;
  readonly device?: string;
  readonly client?: SessionClient;
  readonly attributes: SessionAttributes;
  readonly writers?: AttributeWriters;
  readonly timeouts: SessionTimeouts;
}

type Rotation = Pick<RotateSession, 'graceMs' | 'by' | 'actor'>;

/** The service that logs a user in, and whether it may end other sessions of the user to make room. */
interface LoginOrigin {
  readonly by: string;
  readonly mayDisplace: boolean;
}

/** The options about the creation and rotation of sessions. */
type IssueOptions = Pick<
  ResolvedOptions,
  'maxSessionsPerLogin' | 'maxSessionsPerDevice' | 'onLimit' | 'historyRetentionMs'
>;

/** Issues credentials: creates sessions and rotates them. */
export class SessionIssuer {
  constructor(
    private readonly storage: SessionStorage,
    private readonly options: IssueOptions,
    private readonly digests: TokenDigests,
  ) {}

  async create(
    { loginId, token = generateToken(), device, client, attributes, writers, timeouts }: NewSession,
    { by, mayDisplace }: LoginOrigin,
  ): Promise<Issued> {
    const { maxSessionsPerLogin, maxSessionsPerDevice, onLimit, historyRetentionMs } = this.options;
    const creation: Omit<CreateSession, 'sessionId' | 'tokenDigest'> = {
      loginId,
      device,
      ...timeouts,
      payload: encodePayload({ attributes, writers, client }),
      limits: {
        perLogin: maxSessionsPerLogin,
        perDevice: maxSessionsPerDevice,
        onLimit: mayDisplace ? onLimit : 'reject',
      },
      by,
      historyRetentionMs,
    };
    for (let attempt = 0; attempt < MAX_ID_ATTEMPTS; attempt++) {
      const sessionId = this.storage.nextSessionId(loginId);
      const result = await this.storage.create({
        ...creation,
        sessionId,
        tokenDigest: this.digests.digest(sessionId, token),
      });
      if (result.outcome === 'created') return issued(result.session, sessionId, loginId, token);
      if (result.outcome === 'limit-reached') {
        const missing = onLimit === 'reject' ? undefined : 'session.delete';
        if (result.scope === 'device') throw new SessionLimitError(maxSessionsPerDevice!, device, missing);
        throw new SessionLimitError(maxSessionsPerLogin, undefined, missing);
      }
    }
    throw new StorageCorruptError(
      `The storage rejected ${MAX_ID_ATTEMPTS} new session ids as taken. Its ids are not unique.`,
    );
  }

  /**
   * Gives a session a new id and token. If several rotations run at once, one succeeds and the others find the session
   * ended as `rotated`. A concurrent write is kept: the rotation is repeated on the newer version.
   */
  async rotate(open: OpenSession, rotation: Rotation): Promise<Issued> {
    const { historyRetentionMs } = this.options;
    const token = generateToken();
    let { record, payload } = open;
    const { sessionId } = record;
    for (let attempt = 0; attempt < MAX_ROTATION_ATTEMPTS; attempt++) {
      const successorId = this.storage.nextSessionId(record.loginId, sessionId);
      const result = await this.storage.rotate({
        sessionId,
        expectedVersion: record.version,
        successor: {
          sessionId: successorId,
          tokenDigest: this.digests.digest(successorId, token),
          payload: encodePayload(payload),
        },
        ...rotation,
        historyRetentionMs,
      });
      if (result.outcome === 'rotated') return issued(result.session, successorId, record.loginId, token);
      if (result.outcome === 'missing') throw new SessionNotFoundError(sessionId);
      if (result.outcome === 'id-taken') continue;
      assertIsSession(result.session, sessionId);
      if (result.outcome === 'ended') throw endedError(result.session);
      ({ record, payload } = openSession(result.session));
    }
    throw new SessionConflictError(sessionId, record.version - 1, record.version);
  }
}

function issued(record: SessionRecord, sessionId: string, loginId: string, token: string): Issued {
  assertIsSession(record, sessionId);
  if (record.loginId !== loginId)
    throw new StorageCorruptError(`The storage returned session ${sessionId} with another login id.`);
  return { open: openSession(record), token };
}
