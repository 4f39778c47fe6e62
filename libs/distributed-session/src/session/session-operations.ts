import {
  type AttributeLimits,
  type AttributePatch,
  type AttributeValue,
  type JsonValue,
  emptyAttributes,
} from '../model/attributes.js';
import type { IssuedSession, Session, SessionUpdate } from '../model/session.js';
import type { ServiceAccess } from '../service/service-access.js';
import { ServiceOperations } from '../service/service-operations.js';
import { assertAttributeKey } from './attribute-value.js';
import { applyPatch, checkPatch } from './checked-patch.js';
import type { ManagerParts } from './manager-parts.js';
import { toIssuedSession, toSession } from './open-session.js';
import { type SessionCredential, assertSessionId, assertToken } from './session-credential.js';
import {
  type CreateSessionOptions,
  type EndOptions,
  assertKnownOptions,
  assertLoginId,
  assertReadOptions,
  checkCreateOptions,
  checkEndOptions,
} from './session-input.js';
import type { ReadOptions } from './session-reader.js';
import { patchOfUpdate } from './session-update.js';

/** The manager's methods for one session: its creation, access, attributes, rotation and end. */
export abstract class SessionOperations extends ServiceOperations {
  protected readonly parts: ManagerParts;
  readonly #limits: AttributeLimits;

  protected constructor(parts: ManagerParts, access: ServiceAccess) {
    super(parts, access);
    this.parts = parts;
    this.#limits = parts.options.attributeLimits;
  }

  /**
   * Logs a user in: creates a session and returns it with its token and credential, once. Requires the `session.create`
   * permission, and `session.write` for the initial attributes.
   *
   * @param token - The session's secret. Defaults to 256 random bits.
   *
   * @example
   * const { sessionId, credential } = await sessions.createSession('user123', undefined, { device: 'web' });
   *
   * @throws {SessionInputError} when an argument is invalid.
   * @throws {SessionLimitError} when the user has reached a limit and `onLimit` is `reject`.
   */
  async createSession(loginId: string, token?: string, options: CreateSessionOptions = {}): Promise<IssuedSession> {
    this.access.require('session.create');
    assertLoginId(loginId);
    if (token !== undefined) assertToken(token);
    const checked = checkCreateOptions(options, this.parts.options.timeouts);
    const patch = checkPatch({ set: options.attributes }, this.#limits);
    if (patch.set.size > 0) this.access.requireWrite(patch.set.keys());
    const attributes = applyPatch(emptyAttributes(), patch, this.#limits);
    const issued = await this.parts.issuer.create({ loginId, token, attributes, ...checked }, this.access.serviceId);
    return toIssuedSession(issued.open, this.access, issued.token);
  }

  /**
   * Authenticates a client by its credential and returns the session. During the grace period of a rotation, the
   * previous credential returns the new session. Requires the `session.read` permission.
   *
   * @example
   * const session = await sessions.verifySession(request.cookies['__Host-session']);
   *
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
   * @throws {SessionNotFoundError} when the session does not exist.
   * @throws {SessionEndedError} when the session has ended.
   */
  async getSession(sessionId: string, options: ReadOptions = {}): Promise<Session> {
    this.#checkRead(sessionId, options);
    return toSession(await this.parts.reader.get(sessionId, options), this.access);
  }

  /**
   * Returns a session by its id, or `undefined` if it does not exist or has ended. Requires the `session.read` permission.
   *
   * @example
   * const isOnline = (await sessions.findSession(sessionId, { touch: false })) !== undefined;
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
   * @throws {SessionNotFoundError} when the session does not exist.
   * @throws {SessionEndedError} when the session has ended.
   */
  async refreshSession(sessionId: string): Promise<Session> {
    this.#checkRead(sessionId);
    return toSession(await this.parts.reader.refresh(sessionId), this.access);
  }

  /**
   * Replaces the attributes of a session that the caller has read. Requires the `session.read` permission, and
   * `session.write` for every attribute that differs. To merge concurrent changes, use {@link setAttributes}.
   *
   * @example
   * const read = await sessions.getSession(sessionId);
   * await sessions.updateSession({ ...read, attributes: { ...read.attributes, role: 'admin' } });
   *
   * @throws {SessionConflictError} when the session was changed after it was read.
   * @throws {SessionInputError} when something other than the attributes differs, or an attribute is invalid.
   */
  async updateSession(session: SessionUpdate): Promise<Session> {
    this.access.requireRead();
    this.access.requireWrite([]);
    assertSessionId(session?.sessionId);
    const current = await this.parts.reader.get(session.sessionId, { touch: false });
    const patch = patchOfUpdate(session, current, this.access, this.#limits);
    this.access.requireWrite([...patch.set.keys(), ...patch.remove]);
    return toSession(await this.parts.writer.replace(current, patch, this.access.serviceId), this.access);
  }

  /**
   * Sets and removes attributes in one step and returns the session after it. Attributes that other services write at
   * the same time are kept. Requires the `session.write` permission for every key in the patch.
   *
   * @example
   * await sessions.setAttributes(sessionId, { set: { 'order.last': 'A-17' }, remove: ['cart'] });
   *
   * @throws {SessionInputError} when a key or value is invalid, or a limit is exceeded.
   * @throws {SessionEndedError} when the session has ended.
   */
  async setAttributes(sessionId: string, patch: AttributePatch): Promise<Session> {
    this.access.requireWrite([]);
    assertSessionId(sessionId);
    const checked = checkPatch(patch, this.#limits);
    this.access.requireWrite([...checked.set.keys(), ...checked.remove]);
    return toSession(await this.parts.writer.write(sessionId, checked, this.access.serviceId), this.access);
  }

  /**
   * Sets one attribute to a JSON value; see {@link setAttributes}. Requires the `session.write` permission for the key.
   *
   * @example
   * await sessions.setAttribute(sessionId, 'role', 'admin');
   */
  async setAttribute(sessionId: string, key: string, value: AttributeValue): Promise<Session> {
    assertAttributeKey(key, 'attribute key', this.#limits);
    return this.setAttributes(sessionId, { set: Object.fromEntries([[key, value]]) });
  }

  /**
   * Removes one attribute, if it is set; see {@link setAttributes}. Requires the `session.write` permission for the key.
   *
   * @example
   * await sessions.removeAttribute(sessionId, 'cart');
   */
  async removeAttribute(sessionId: string, key: string): Promise<Session> {
    return this.setAttributes(sessionId, { remove: [key] });
  }

  /**
   * Returns one attribute, or `undefined` if it is not set or the caller may not read it. Requires the `session.read`
   * permission.
   *
   * @example
   * const role = await sessions.getAttribute<string>(sessionId, 'role');
   *
   * @throws {SessionNotFoundError} when the session does not exist.
   */
  async getAttribute<T = JsonValue>(sessionId: string, key: string, options: ReadOptions = {}): Promise<T | undefined> {
    assertAttributeKey(key, 'attribute key', this.#limits);
    const { attributes } = await this.getSession(sessionId, options);
    return attributes[key] as T | undefined;
  }

  /**
   * Gives a session a new id and token, after a login or a change of privilege (ASVS 7.2.4), and returns it with both,
   * once. The absolute timeout does not change. Requires the `session.create` permission, because the result is a
   * credential of the user.
   *
   * @example
   * const { credential } = await sessions.rotateSession(sessionId);
   *
   * @throws {SessionEndedError} when the session has ended. If several rotations run at once, one succeeds; the others
   * throw this error with the reason `rotated` and the new id in `rotatedTo`.
   */
  async rotateSession(sessionId: string): Promise<IssuedSession> {
    this.access.require('session.create');
    assertSessionId(sessionId);
    const { open, token } = await this.parts.issuer.rotate(sessionId, this.access.serviceId);
    return toIssuedSession(open, this.access, token);
  }

  /**
   * Ends a session and returns whether it was live. Requires the `session.delete` permission.
   *
   * @param options - `reason` defaults to `logged-out`; `actor` is recorded in the history.
   *
   * @example
   * await sessions.deleteSession(sessionId);
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
