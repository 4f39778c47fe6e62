import {
  type AttributeLimits,
  type AttributePatch,
  type AttributeValue,
  type JsonValue,
  attributeOf,
} from '../model/attributes.js';
import type { Session, SessionUpdate } from '../model/session.js';
import { assertAttributeKey } from './attribute-value.js';
import { checkPatch } from './checked-patch.js';
import { toSession } from './open-session.js';
import { assertSessionId } from './session-credential.js';
import { SessionOperations } from './session-operations.js';
import type { ReadOptions } from './session-reader.js';
import { patchOfUpdate } from './session-update.js';

/** The manager's methods for the attributes of one session. */
export abstract class AttributeOperations extends SessionOperations {
  /**
   * Replaces the attributes of a session that the caller has read. Requires the `session.read` permission, and
   * `session.write` for every attribute that differs. To merge concurrent changes, use {@link setAttributes}.
   *
   * @example
   * const read = await sessions.getSession(sessionId);
   * await sessions.updateSession({ ...read, attributes: { ...read.attributes, role: 'admin' } });
   *
   * @throws {ServicePermissionError} when a permission is missing.
   * @throws {SessionInputError} when something other than the attributes differs, or an attribute is invalid.
   * @throws {SessionNotFoundError} when the session does not exist.
   * @throws {SessionEndedError} when the session has ended.
   * @throws {SessionConflictError} when the session was changed after it was read.
   */
  async updateSession(session: SessionUpdate): Promise<Session> {
    this.access.requireRead();
    this.access.requireWrite([]);
    assertSessionId(session?.sessionId);
    const current = await this.parts.reader.get(session.sessionId, { touch: false });
    const patch = patchOfUpdate(session, current, this.access, this.#limits);
    this.access.requireWrite([...patch.set.keys(), ...patch.remove]);
    return toSession(await this.parts.writer.replace(current, patch, this.access), this.access);
  }

  /**
   * Sets and removes attributes in one step and returns the session after it. Attributes that other services write at
   * the same time are kept. Requires the `session.write` permission for every key in the patch.
   *
   * @example
   * await sessions.setAttributes(sessionId, { set: { 'order.last': 'A-17' }, remove: ['cart'] });
   *
   * @throws {ServicePermissionError} when a permission is missing.
   * @throws {SessionInputError} when a key or value is invalid, or a limit is exceeded.
   * @throws {SessionNotFoundError} when the session does not exist.
   * @throws {SessionEndedError} when the session has ended.
   * @throws {SessionConflictError} when other writers keep changing the session. Nothing was written.
   */
  async setAttributes(sessionId: string, patch: AttributePatch): Promise<Session> {
    this.access.requireWrite([]);
    assertSessionId(sessionId);
    const checked = checkPatch(patch, this.#limits);
    this.access.requireWrite([...checked.set.keys(), ...checked.remove]);
    return toSession(await this.parts.writer.write(sessionId, checked, this.access), this.access);
  }

  /**
   * Sets one attribute to a JSON value; see {@link setAttributes}. Requires the `session.write` permission for the key.
   *
   * @example
   * await sessions.setAttribute(sessionId, 'role', 'admin');
   *
   * @throws {ServicePermissionError} when the permission is missing.
   * @throws {SessionInputError} when the key or value is invalid, or a limit is exceeded.
   * @throws {SessionNotFoundError} when the session does not exist.
   * @throws {SessionEndedError} when the session has ended.
   * @throws {SessionConflictError} when other writers keep changing the session. Nothing was written.
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
   *
   * @throws {ServicePermissionError} when the permission is missing.
   * @throws {SessionInputError} when the key is invalid.
   * @throws {SessionNotFoundError} when the session does not exist.
   * @throws {SessionEndedError} when the session has ended.
   * @throws {SessionConflictError} when other writers keep changing the session. Nothing was written.
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
   * @throws {ServicePermissionError} when the permission is missing.
   * @throws {SessionInputError} when an argument is invalid.
   * @throws {SessionNotFoundError} when the session does not exist.
   * @throws {SessionEndedError} when the session has ended.
   */
  async getAttribute<T = JsonValue>(sessionId: string, key: string, options: ReadOptions = {}): Promise<T | undefined> {
    assertAttributeKey(key, 'attribute key', this.#limits);
    const { attributes } = await this.getSession(sessionId, options);
    return attributeOf(attributes, key) as T | undefined;
  }

  get #limits(): AttributeLimits {
    return this.parts.options.attributeLimits;
  }
}
