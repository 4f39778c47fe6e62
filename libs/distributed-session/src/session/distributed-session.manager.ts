import type { SessionEvents } from './session-events.js';
import { type DistributedSessionOptionsInput, resolveOptions } from '../resolve-options.js';
import { ServiceAccess } from '../service/service-access.js';
import type { ServiceCredential } from '../service/service-credential.js';
import { ServiceOperations } from '../service/service-operations.js';
import type { ListLogins, LoginPage, SessionCounts } from '../storage/session-storage.operations.js';
import { assertAttributeKey } from './attribute-value.js';
import { type AttributePatch, type AttributeValue, type JsonValue, emptyAttributes } from '../model/attributes.js';
import { applyPatch, checkPatch } from './checked-patch.js';
import {
  type EndAllOptions,
  type EndOptions,
  checkEndAllOptions,
  checkEndOptions,
  checkPage,
  type CreateSessionOptions,
  assertKnownOptions,
  assertLoginId,
  assertReadOptions,
  checkCreateOptions,
} from './session-input.js';
import { ManagerParts } from './manager-parts.js';
import { toHistoryEntry, toIssuedSession, toSession } from './open-session.js';
import { type SessionCredential, assertSessionId, assertToken } from './session-credential.js';
import type { ReadOptions } from './session-reader.js';
import { patchOfUpdate } from './session-update.js';
import type { IssuedSession, Session, SessionHistoryEntry, SessionUpdate } from '../model/session.js';
import type { TouchCounts } from './touch-queue.js';

/**
 * The sessions of all users, shared by all services on one storage. Everything this library does is a method here.
 *
 * Bad arguments throw `SessionInputError` or `ServiceInputError`, and then nothing was read or written. A session that is not there throws
 * `SessionNotFoundError`; one that has ended throws `SessionEndedError`, which is one too and knows the reason. While
 * the storage is down every method throws `StorageUnavailableError`. Sessions that come back are frozen snapshots.
 */
export class DistributedSessionManager extends ServiceOperations {
  private readonly parts: ManagerParts;

  /**
   * In a Nest application the module makes the manager. Elsewhere: give the options, call {@link connect} before and
   * {@link close} after use.
   */
  constructor(options: DistributedSessionOptionsInput | ManagerParts, access?: ServiceAccess) {
    const parts = options instanceof ManagerParts ? options : new ManagerParts(resolveOptions(options));
    super(parts, access ?? ServiceAccess.unrestricted(parts.options.serviceId));
    this.parts = parts;
  }

  /**
   * The same manager on behalf of a service, with its permissions enforced on every call: attributes that it may not
   * read are absent, a write that touches one it may not write is refused whole (`ServicePermissionError`). Sessions
   * that it creates and ends carry its id.
   */
  as(service: Pick<ServiceCredential, 'serviceId' | 'permissions'>): DistributedSessionManager {
    return new DistributedSessionManager(this.parts, this.access.narrowedTo(service));
  }

  /** The events of all sessions. Asks for `session.list`. */
  get events(): SessionEvents {
    this.access.require('session.list');
    return this.parts.events;
  }

  /** What became of the accesses that reads of this manager and of all its views have noted. Asks for `session.list`. */
  get touches(): TouchCounts {
    this.access.require('session.list');
    return this.parts.touches.counts;
  }

  /**
   * Logs a user in: creates a session and returns it with its token and credential, once. Without a token of the
   * caller's own, 256 random bits are one. Asks for `session.create`, and for `session.write` of the attributes
   * it starts with. Throws `SessionLimitError` where the limits reject.
   */
  async createSession(loginId: string, token?: string, options: CreateSessionOptions = {}): Promise<IssuedSession> {
    this.access.require('session.create');
    assertLoginId(loginId);
    if (token !== undefined) assertToken(token);
    const { attributeLimits } = this.parts.options;
    const checked = checkCreateOptions(options, this.parts.options.timeouts);
    const patch = checkPatch({ set: options.attributes }, attributeLimits);
    if (patch.set.size > 0) this.access.requireWrite(patch.set.keys());
    const attributes = applyPatch(emptyAttributes(), patch, attributeLimits);
    const issued = await this.parts.issuer.create({ loginId, token, attributes, ...checked }, this.access.serviceId);
    return toIssuedSession(issued.open, this.access, issued.token);
  }

  /**
   * The session that a client's credential proves. Malformed ones throw `SessionInputError` before the storage is
   * asked; a wrong token and an unknown session both throw `SessionNotFoundError`. A credential that was rotated away
   * gives the new session while its grace lasts. Asks for `session.read`.
   */
  async verifySession(credential: string | SessionCredential, options: ReadOptions = {}): Promise<Session> {
    this.access.requireRead();
    assertReadOptions(options);
    return toSession(await this.parts.reader.verify(credential, options), this.access);
  }

  /** The session of this id. Reading it keeps it alive, unless `touch` is false. Asks for `session.read`. */
  async getSession(sessionId: string, options: ReadOptions = {}): Promise<Session> {
    this.#checkRead(sessionId, options);
    return toSession(await this.parts.reader.get(sessionId, options), this.access);
  }

  /** Like {@link getSession}, but `undefined` for a session that never was or has ended. */
  async findSession(sessionId: string, options: ReadOptions = {}): Promise<Session | undefined> {
    this.#checkRead(sessionId, options);
    const open = await this.parts.reader.find(sessionId, options);
    return open && toSession(open, this.access);
  }

  /** Records an access now, without waiting for the touch interval, and returns the session. Asks for `session.read`. */
  async refreshSession(sessionId: string): Promise<Session> {
    this.#checkRead(sessionId);
    return toSession(await this.parts.reader.refresh(sessionId), this.access);
  }

  /**
   * Writes a session back as its holder changed it. Only attributes may differ. Throws `SessionConflictError` if
   * somebody changed it since it was read; {@link setAttributes} merges instead. Asks for `session.write` of
   * every attribute that differs, and for `session.read`.
   */
  async updateSession(session: SessionUpdate): Promise<Session> {
    this.access.requireRead();
    this.access.requireWrite([]);
    assertSessionId(session?.sessionId);
    const current = await this.parts.reader.get(session.sessionId, { touch: false });
    const patch = patchOfUpdate(session, current, this.access, this.parts.options.attributeLimits);
    this.access.requireWrite([...patch.set.keys(), ...patch.remove]);
    return toSession(await this.parts.writer.writeOver(current, patch, this.access.serviceId), this.access);
  }

  /**
   * Sets and removes attributes in one step and returns the session after it. Attributes that others write at the same
   * time are kept. Asks for `session.write` of every key in the patch; one that is missing refuses it whole.
   */
  async setAttributes(sessionId: string, patch: AttributePatch): Promise<Session> {
    this.access.requireWrite([]);
    assertSessionId(sessionId);
    const checked = checkPatch(patch, this.parts.options.attributeLimits);
    this.access.requireWrite([...checked.set.keys(), ...checked.remove]);
    return toSession(await this.parts.writer.write(sessionId, checked, this.access.serviceId), this.access);
  }

  /** Sets one attribute to a JSON value. See {@link setAttributes}. */
  async setAttribute(sessionId: string, key: string, value: AttributeValue): Promise<Session> {
    assertAttributeKey(key, 'attribute key', this.parts.options.attributeLimits);
    return this.setAttributes(sessionId, { set: Object.fromEntries([[key, value]]) });
  }

  /** Removes one attribute. One that is not there is no error. See {@link setAttributes}. */
  async removeAttribute(sessionId: string, key: string): Promise<Session> {
    return this.setAttributes(sessionId, { remove: [key] });
  }

  /** One attribute, or `undefined` if it is not set or hidden from the caller. Asks for `session.read`. */
  async getAttribute<T = JsonValue>(sessionId: string, key: string, options: ReadOptions = {}): Promise<T | undefined> {
    assertAttributeKey(key, 'attribute key', this.parts.options.attributeLimits);
    const { attributes } = await this.getSession(sessionId, options);
    return attributes[key] as T | undefined;
  }

  /**
   * Gives a session a new id and token, after a login or a change of privilege (ASVS 7.2.4), and returns it with both,
   * once. Of several rotations at once one wins; the others throw `SessionEndedError` with `rotated` and where to.
   * The absolute end stays. Asks for `session.create`, because the result is a credential of the user.
   */
  async rotateSession(sessionId: string): Promise<IssuedSession> {
    this.access.require('session.create');
    assertSessionId(sessionId);
    const { open, token } = await this.parts.issuer.rotate(sessionId, this.access.serviceId);
    return toIssuedSession(open, this.access, token);
  }

  /** Ends a session as `logged-out`, or as the given reason. Resolves to whether it was live. Asks for `session.delete`. */
  async deleteSession(sessionId: string, options: EndOptions = {}): Promise<boolean> {
    this.access.require('session.delete');
    assertSessionId(sessionId);
    const ending = checkEndOptions(options);
    return this.parts.terminator.end(sessionId, { reason: 'logged-out', ...ending, by: this.access.serviceId });
  }

  /** Ends somebody's session as `kicked-out`. Resolves to whether it was live. Asks for `session.delete`. */
  async kickOut(sessionId: string, options: Pick<EndOptions, 'actor'> = {}): Promise<boolean> {
    assertKnownOptions(options, ['actor']);
    return this.deleteSession(sessionId, { reason: 'kicked-out', ...options });
  }

  /** Ends all sessions of a login, but the excepted ones, and resolves to how many. Asks for `session.delete`. */
  async deleteAllSessions(loginId: string, options: EndAllOptions = {}): Promise<number> {
    this.access.require('session.delete');
    assertLoginId(loginId);
    const ending = checkEndAllOptions(options);
    return this.parts.terminator.endAll({ loginId, reason: 'logged-out', ...ending, by: this.access.serviceId });
  }

  /** The live sessions of a login, in the order of their creation. Looking keeps none alive. Asks for `session.list`. */
  async getSessionsByLoginId(loginId: string): Promise<readonly Session[]> {
    this.access.require('session.list');
    assertLoginId(loginId);
    return (await this.parts.reader.listByLogin(loginId)).map((open) => toSession(open, this.access));
  }

  /** How the newest sessions of a login ended, at most 50, the last ended first. Asks for `session.list`. */
  async getSessionHistory(loginId: string): Promise<readonly SessionHistoryEntry[]> {
    this.access.require('session.list');
    assertLoginId(loginId);
    return (await this.parts.options.storage.listHistory(loginId)).map(toHistoryEntry);
  }

  /**
   * How many sessions are live, of all logins or of one. The count of all may still hold sessions that came due since
   * the last sweep. Asks for `session.list`.
   */
  async countSessions(loginId?: string): Promise<number> {
    if (loginId !== undefined) return (await this.getSessionsByLoginId(loginId)).length;
    return (await this.countOnline()).sessions;
  }

  /**
   * How many sessions are live, and of how many logins. Both numbers may still hold what came due since the last
   * sweep. Asks for `session.list`.
   */
  async countOnline(): Promise<SessionCounts> {
    this.access.require('session.list');
    return this.parts.options.storage.count();
  }

  /** Who is online, with how many sessions, a page at a time. Asks for `session.list`. */
  async listLogins(page: Partial<ListLogins> = {}): Promise<LoginPage> {
    this.access.require('session.list');
    return this.parts.options.storage.listLogins(checkPage(page));
  }

  /** Opens the storage and starts looking for expired sessions. The module calls it. Asks for `*`. */
  async connect(): Promise<void> {
    this.access.require('*');
    await this.parts.connect();
  }

  /** Lets what is under way finish and closes the storage, for all views. The module calls it. Asks for `*`. */
  async close(): Promise<void> {
    this.access.require('*');
    await this.parts.close();
  }

  #checkRead(sessionId: string, options: ReadOptions = {}): void {
    this.access.requireRead();
    assertSessionId(sessionId);
    assertReadOptions(options);
  }
}
