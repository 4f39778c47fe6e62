import { SessionInputError } from '../errors/session.errors.js';
import { NO_ATTRIBUTES } from '../model/attributes.js';
import type { IssuedSession, Session } from '../model/session.js';
import { parsePermission } from '../service/permission.js';
import type { ServiceAccess } from '../service/service-access.js';
import { ServiceOperations } from '../service/service-operations.js';
import { applyPatchAs } from './attribute-shares.js';
import { checkPatch } from './checked-patch.js';
import type { ManagerParts } from './manager-parts.js';
import { toIssuedSession, toSession } from './open-session.js';
import { type SessionCredential, assertSessionId, assertToken } from './session-credential.js';
import {
  type CreateSessionOptions,
  type EndOptions,
  type RotateOptions,
  assertKnownOptions,
  assertLoginId,
  assertReadOptions,
  checkCreateOptions,
  checkEndOptions,
  checkRotateOptions,
} from './session-input.js';
import type { ReadOptions } from './session-reader.js';

const DELETE = parsePermission('session.delete');

/** The manager's methods for one session: its creation, access, rotation and end. */
export abstract class SessionOperations extends ServiceOperations {
  protected readonly parts: ManagerParts;

  protected constructor(parts: ManagerParts, access: ServiceAccess) {
    super(parts, access);
    this.parts = parts;
  }

  /**
   * Logs a user in: creates a session and returns it with its token and credential, once. Requires the `session.create`
   * permission, and `session.write` for the initial attributes. At a limit with `onLimit: 'end-oldest'` or
   * `'end-idlest'`, a service without `session.delete` is rejected instead of ending another session of the user.
   *
   * @param token - The session's secret, at least `minTokenLength` characters. Defaults to 256 random bits.
   *
   * @example
   * const { sessionId, credential } = await sessions.createSession('user123', undefined, { device: 'web' });
   *
   * @throws {ServicePermissionError} when a permission is missing.
   * @throws {SessionInputError} when an argument is invalid.
   * @throws {SessionLimitError} when the user has reached a limit, and `onLimit` is `reject` or `session.delete` is
   * missing.
   */
  async createSession(loginId: string, token?: string, options: CreateSessionOptions = {}): Promise<IssuedSession> {
    this.access.require('session.create');
    assertLoginId(loginId);
    if (token !== undefined) assertToken(token, this.parts.options.minTokenLength);
    const { attributeLimits, onLimit } = this.parts.options;
    const checked = checkCreateOptions(options, this.parts.options);
    const patch = checkPatch({ set: options.attributes }, attributeLimits);
    if (patch.set.size > 0) this.access.requireWrite(patch.set.keys());
    const state = applyPatchAs(this.access, { attributes: NO_ATTRIBUTES }, patch, this.parts.options);
    const origin = { by: this.access.serviceId, mayDisplace: this.access.may(DELETE) };
    // Accesses that this process has seen count, if they are on their way to the storage.
    if (onLimit === 'end-idlest') await this.parts.touches.settle(loginId);
    const issued = await this.parts.issuer.create({ loginId, token, ...state, ...checked }, origin);
    return toIssuedSession(issued.open, this.access, issued.token);
  }

  /**
   * Authenticates a client by its credential and returns the session. During the grace period of a rotation, the
   * previous credential returns the new session. Requires the `session.read` permission.
   *
   * @example
   * const session = await sessions.verifySession(request.cookies['__Host-session']);
   *
   * @throws {ServicePermissionError} when the permission is missing.
   * @throws {SessionInputError} when the credential is malformed.
   * @throws {SessionNotFoundError} when the session does not exist or the token is wrong.
   * @throws {SessionEndedError} when the session has ended.
   */
  async verifySession(credential: string | SessionCredential, options: ReadOptions = {}): Promise<Session> {
    this.access.requireRead();
    assertReadOptions(options);
    return toSession(await this.parts.reader.verify(credential, options), this.access);
  }

  /**
   * Returns a session by its id. The read counts as an access, unless `touch` is `false`. Requires the `session.read`
   * permission.
   *
   * @example
   * const { loginId, attributes } = await sessions.getSession(sessionId);
   *
   * @throws {ServicePermissionError} when the permission is missing.
   * @throws {SessionInputError} when an argument is invalid.
   * @throws {SessionNotFoundError} when the session does not exist.
   * @throws {SessionEndedError} when the session has ended.
   */
  async getSession(sessionId: string, options: ReadOptions = {}): Promise<Session> {
    this.#checkRead(sessionId, options);
    return toSession(await this.parts.reader.get(sessionId, options), this.access);
  }

  /**
   * Returns a session by its id, or `undefined` if it does not exist or has ended. Requires the `session.read`
   * permission.
   *
   * @example
   * const isOnline = (await sessions.findSession(sessionId, { touch: false })) !== undefined;
   *
   * @throws {ServicePermissionError} when the permission is missing.
   * @throws {SessionInputError} when an argument is invalid.
   */
  async findSession(sessionId: string, options: ReadOptions = {}): Promise<Session | undefined> {
    this.#checkRead(sessionId, options);
    const open = await this.parts.reader.find(sessionId, options);
    return open && toSession(open, this.access);
  }

  /**
   * Records an access immediately, regardless of `touchIntervalMs`, and returns the session. Requires the `session.read`
   * permission.
   *
   * @example
   * const { expiresAt } = await sessions.refreshSession(sessionId);
   *
   * @throws {ServicePermissionError} when the permission is missing.
   * @throws {SessionInputError} when the id is malformed.
   * @throws {SessionNotFoundError} when the session does not exist.
   * @throws {SessionEndedError} when the session has ended.
   */
  async refreshSession(sessionId: string): Promise<Session> {
    this.#checkRead(sessionId);
    return toSession(await this.parts.reader.refresh(sessionId), this.access);
  }

  /**
   * Gives a session a new id and token, after a login or a change of privilege (ASVS 7.2.4), and returns it with both,
   * once. The absolute timeout does not change.
   *
   * @param session - The session's current credential, which requires the `session.create` permission; or its id, which
   * requires `session.impersonate`, because the result is a credential of the user.
   * @param options - `graceMs` defaults to `rotationGraceMs`; pass 0 on a change of privilege. `actor` is recorded in the
   * history; a service that rotates by id must pass it, unless it has the permission `*`.
   *
   * @example
   * const { credential } = await sessions.rotateSession(request.cookies['__Host-session'], { graceMs: 0 });
   *
   * @throws {ServicePermissionError} when the permission is missing.
   * @throws {SessionInputError} when an argument is invalid.
   * @throws {SessionNotFoundError} when the session does not exist or the token is wrong.
   * @throws {SessionEndedError} when the session has ended. If several rotations run at once, one succeeds; the others
   * throw this error with the reason `rotated` and the new id in `rotatedTo`.
   * @throws {SessionConflictError} when other writers keep changing the session. Nothing was written.
   */
  async rotateSession(session: string | SessionCredential, options: RotateOptions = {}): Promise<IssuedSession> {
    const { reader, issuer } = this.parts;
    const sessionId = typeof session === 'string' && !session.includes('.') ? session : undefined;
    this.access.require(sessionId === undefined ? 'session.create' : 'session.impersonate');
    if (sessionId !== undefined) assertSessionId(sessionId);
    const rotation = checkRotateOptions(options, this.parts.options.rotationGraceMs);
    if (sessionId !== undefined && rotation.actor === undefined && this.access.isLimited) throw missingActor();
    const current =
      sessionId === undefined ? await reader.verifyCurrent(session) : await reader.get(sessionId, { touch: false });
    const { open, token } = await issuer.rotate(current, { ...rotation, by: this.access.serviceId });
    return toIssuedSession(open, this.access, token);
  }

  /**
   * Ends a session and returns whether it was live. Requires the `session.delete` permission.
   *
   * @param options - `reason` defaults to `logged-out`; `actor` is recorded in the history.
   *
   * @example
   * await sessions.deleteSession(sessionId);
   *
   * @throws {ServicePermissionError} when the permission is missing.
   * @throws {SessionInputError} when an argument is invalid.
   */
  async deleteSession(sessionId: string, options: EndOptions = {}): Promise<boolean> {
    this.access.require('session.delete');
    assertSessionId(sessionId);
    const ending = checkEndOptions(options);
    return this.parts.ender.end(sessionId, { reason: 'logged-out', ...ending, by: this.access.serviceId });
  }

  /**
   * Ends a session with the reason `kicked-out` and returns whether it was live. Requires the `session.delete`
   * permission.
   *
   * @example
   * await sessions.kickOut(sessionId, { actor: 'admin@example.com' });
   *
   * @throws {ServicePermissionError} when the permission is missing.
   * @throws {SessionInputError} when an argument is invalid.
   */
  async kickOut(sessionId: string, options: Pick<EndOptions, 'actor'> = {}): Promise<boolean> {
    assertKnownOptions(options, ['actor']);
    return this.deleteSession(sessionId, { reason: 'kicked-out', ...options });
  }

  #checkRead(sessionId: string, options: ReadOptions = {}): void {
    this.access.requireRead();
    assertSessionId(sessionId);
    assertReadOptions(options);
  }
}

function missingActor(): SessionInputError {
  const expectation =
    'is required to rotate a session by its id: pass the person or job on whose behalf it is rotated.';
  return new SessionInputError('actor', 'empty', expectation);
}
