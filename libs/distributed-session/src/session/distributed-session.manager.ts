import type { ListedSession, SessionHistoryEntry } from '../model/session.js';
import { type DistributedSessionOptionsInput, resolveOptions } from '../resolve-options.js';
import { ServiceAccess } from '../service/service-access.js';
import type { ServiceCredential } from '../service/service-credential.js';
import type { ListLogins, LoginPage, SessionCounts } from '../storage/session-storage.operations.js';
import { AttributeOperations } from './attribute-operations.js';
import { toListedSession } from './listed-session.js';
import { ManagerParts } from './manager-parts.js';
import type { SessionEvents } from './session-events.js';
import { type EndAllOptions, assertLoginId, checkEndAllOptions, checkPage } from './session-input.js';
import type { TouchCounts } from './touch-queue.js';

/**
 * Manages the sessions of all users, shared by all services that use the same store. The sessions that it returns are
 * deeply frozen snapshots.
 *
 * Invalid arguments throw `SessionInputError` or `ServiceInputError`. A session that does not exist throws
 * `SessionNotFoundError`; one that has ended throws its subclass `SessionEndedError`, with the reason. A missing
 * permission throws `ServicePermissionError`. While the storage is down, every method throws `StorageUnavailableError`. A session
 * that a later release wrote, in a format that this one cannot read, throws `StorageNewerFormatError`.
 *
 * @example
 * import { DistributedSessionManager, InMemorySessionStorage } from 'nestjs-distributed-session';
 *
 * const sessions = new DistributedSessionManager({ serviceId: 'order', storage: new InMemorySessionStorage() });
 * await sessions.connect();
 * const { credential } = await sessions.createSession('user123');
 * const { loginId } = await sessions.verifySession(credential);
 * await sessions.close();
 */
export class DistributedSessionManager extends AttributeOperations {
  /**
   * Creates a manager. In a Nest application, inject the one that the module provides. Elsewhere, call {@link connect}
   * before and {@link close} after use.
   *
   * @throws {OptionsError} with every invalid option at once.
   */
  constructor(options: DistributedSessionOptionsInput);
  /** @internal Creates the module's manager, or a view, from parts that it shares with others. */
  constructor(parts: ManagerParts, access?: ServiceAccess);
  constructor(options: DistributedSessionOptionsInput | ManagerParts, access?: ServiceAccess) {
    const parts = options instanceof ManagerParts ? options : new ManagerParts(resolveOptions(options));
    super(parts, access ?? ServiceAccess.unrestricted(parts.options.serviceId));
  }

  /**
   * Returns a view of this manager on behalf of a service. Every call requires the service's permission, attributes that
   * it may not read are absent, and sessions that it creates and ends carry its id.
   *
   * @example
   * const service = await sessions.verifyServiceSecret(secret);
   * const session = await sessions.as(service).getSession(sessionId);
   *
   * @throws {ServiceInputError} when the id or a permission of the service is invalid.
   */
  as(service: Pick<ServiceCredential, 'serviceId' | 'permissions'>): DistributedSessionManager {
    return new DistributedSessionManager(this.parts, this.access.narrowedTo(service));
  }

  /**
   * The events of all sessions. Requires the `session.list` permission.
   *
   * @example
   * sessions.events.on('session.ended').subscribe(({ sessionId, reason }) => console.log(sessionId, reason));
   *
   * @throws {ServicePermissionError} when the permission is missing.
   */
  get events(): SessionEvents {
    this.access.require('session.list');
    return this.parts.events;
  }

  /**
   * Counters for touches caused by reads of this manager and its views. Requires the `session.list` permission.
   *
   * @example
   * const { dropped, failed } = sessions.touches;
   *
   * @throws {ServicePermissionError} when the permission is missing.
   */
  get touches(): TouchCounts {
    this.access.require('session.list');
    return this.parts.touches.counts;
  }

  /**
   * Ends all sessions of a user and returns their number. Requires the `session.delete` permission.
   *
   * @param options - `exceptSessionId` is not ended; `device` restricts the call to a device label.
   *
   * @example
   * await sessions.deleteAllSessions('user123', { exceptSessionId: sessionId });
   *
   * @throws {ServicePermissionError} when the permission is missing.
   * @throws {SessionInputError} when an argument is invalid.
   */
  async deleteAllSessions(loginId: string, options: EndAllOptions = {}): Promise<number> {
    this.access.require('session.delete');
    assertLoginId(loginId);
    const ending = checkEndAllOptions(options);
    return this.parts.ender.endAll({ loginId, reason: 'logged-out', ...ending, by: this.access.serviceId });
  }

  /**
   * Returns the live sessions of a user in order of creation. It does not count as an access. Large lists are decoded
   * in several turns of the event loop, so that other requests continue. A session that cannot be read is an
   * `UnreadableSession`, which {@link deleteSession} ends. Requires the `session.list` permission.
   *
   * @example
   * const devices = (await sessions.getSessionsByLoginId('user123')).map(({ device }) => device);
   *
   * @throws {ServicePermissionError} when the permission is missing.
   * @throws {SessionInputError} when the login id is invalid.
   */
  async getSessionsByLoginId(loginId: string): Promise<readonly ListedSession[]> {
    this.access.require('session.list');
    assertLoginId(loginId);
    return this.parts.reader.list(loginId, (entry) => toListedSession(entry, this.access));
  }

  /**
   * Returns the last 50 ended sessions of a user, the most recent first. Requires the `session.list` permission.
   *
   * @example
   * const [last] = await sessions.getSessionHistory('user123');
   *
   * @throws {ServicePermissionError} when the permission is missing.
   * @throws {SessionInputError} when the login id is invalid.
   */
  async getSessionHistory(loginId: string): Promise<readonly SessionHistoryEntry[]> {
    this.access.require('session.list');
    assertLoginId(loginId);
    return this.parts.reader.history(loginId);
  }

  /**
   * Returns the number of live sessions, of all users or of one. The number for all users may include sessions that
   * expired after the last sweep. Requires the `session.list` permission.
   *
   * @example
   * const devices = await sessions.countSessions('user123');
   *
   * @throws {ServicePermissionError} when the permission is missing.
   * @throws {SessionInputError} when the login id is invalid.
   */
  async countSessions(loginId?: string): Promise<number> {
    this.access.require('session.list');
    if (loginId === undefined) return (await this.parts.reader.count()).sessions;
    assertLoginId(loginId);
    return this.parts.reader.countOf(loginId);
  }

  /**
   * Returns the number of live sessions and the number of users who have one. Both may include sessions that expired
   * after the last sweep. Requires the `session.list` permission.
   *
   * @example
   * const { sessions: live, logins: users } = await sessions.countOnline();
   *
   * @throws {ServicePermissionError} when the permission is missing.
   */
  async countOnline(): Promise<SessionCounts> {
    this.access.require('session.list');
    return this.parts.reader.count();
  }

  /**
   * Returns a page of the users who have live sessions, with the number of their sessions. Requires the `session.list`
   * permission.
   *
   * @param page - `limit` is 1 to 1,000 and defaults to 100; `cursor` is the `nextCursor` of the previous page.
   *
   * @example
   * const { logins, nextCursor } = await sessions.listLogins({ limit: 20 });
   *
   * @throws {ServicePermissionError} when the permission is missing.
   * @throws {SessionInputError} when the limit or the cursor is invalid.
   */
  async listLogins(page: Partial<ListLogins> = {}): Promise<LoginPage> {
    this.access.require('session.list');
    return this.parts.reader.listLogins(checkPage(page));
  }

  /**
   * Connects the storage and starts the sweep. The module calls it. Requires the `*` permission.
   *
   * @example
   * await sessions.connect();
   *
   * @throws {ServicePermissionError} when the permission is missing.
   * @throws {OptionsError} when the server behind the storage does not meet the requirements.
   * @throws {StorageUnavailableError} when the storage cannot be reached, or the manager was closed.
   */
  async connect(): Promise<void> {
    this.access.require('*');
    await this.parts.connect();
  }

  /**
   * Waits for pending writes and closes the storage, for all views. The module calls it. Requires the `*` permission.
   *
   * @example
   * await sessions.close();
   *
   * @throws {ServicePermissionError} when the permission is missing.
   */
  async close(): Promise<void> {
    this.access.require('*');
    await this.parts.close();
  }
}
