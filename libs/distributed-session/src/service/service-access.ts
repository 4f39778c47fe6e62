import { ServiceInputError, ServicePermissionError } from '../errors/service.errors.js';
import { type SessionAttributes, attributesFrom } from '../model/attributes.js';
import { kindMismatch } from '../model/value-kind.js';
import { PermissionSet, type Permission, parsePermission } from './permission.js';
import { assertServiceId } from './service-input.js';

const READ = parsePermission('session.read');
const WRITE = parsePermission('session.write');
const EVERYTHING = parsePermission('*');

/** The service on whose behalf the manager acts, and its permissions. */
export class ServiceAccess {
  private constructor(
    readonly serviceId: string,
    /** Every set must grant a permission, so a service that acts through another one has no more than either. */
    private readonly sets: readonly PermissionSet[],
  ) {}

  /** Returns the access of the application itself, which owns the storage and has every permission. */
  static unrestricted(serviceId: string): ServiceAccess {
    return new ServiceAccess(serviceId, []);
  }

  /** Whether this is the application itself, rather than a service that acts through it. */
  get isUnrestricted(): boolean {
    return this.sets.length === 0;
  }

  /**
   * Returns the access of a service that acts through this one.
   *
   * @throws {ServiceInputError} when the id or a permission is invalid.
   */
  narrowedTo(service: { readonly serviceId: string; readonly permissions: readonly string[] }): ServiceAccess {
    assertIsService(service);
    return new ServiceAccess(service.serviceId, [...this.sets, new PermissionSet(service.permissions)]);
  }

  /** Whether the service lacks some permission: it is neither the application itself nor has it the permission `*`. */
  get isLimited(): boolean {
    return !this.may(EVERYTHING);
  }

  /** Whether the service may read sessions, with at least some attributes. */
  get isReader(): boolean {
    return this.mayForSomeAttributes(READ);
  }

  /** Returns whether all of a permission is granted. */
  may(required: Permission): boolean {
    return this.sets.every((set) => set.grants(required));
  }

  /** Returns whether a permission is granted for at least some attributes. */
  mayForSomeAttributes(required: Permission): boolean {
    return this.sets.every((set) => set.grantsForSomeAttributes(required));
  }

  /** @throws {ServicePermissionError} unless all of `required` is granted. */
  require(required: string): void {
    if (!this.may(parsePermission(required))) throw new ServicePermissionError(this.serviceId, required);
  }

  /**
   * Requires `session.read` for at least some attributes. {@link visible} then removes the other attributes.
   *
   * @throws {ServicePermissionError} otherwise.
   */
  requireRead(): void {
    if (!this.isReader) throw new ServicePermissionError(this.serviceId, READ.text);
  }

  /**
   * Requires `session.write` for each of these attributes, or without keys for at least some attributes.
   *
   * @throws {ServicePermissionError} otherwise.
   */
  requireWrite(keys: Iterable<string>): void {
    if (!this.mayForSomeAttributes(WRITE)) throw new ServicePermissionError(this.serviceId, WRITE.text);
    for (const key of keys) {
      if (!this.sets.every((set) => set.grantsAttribute(WRITE, key))) {
        throw new ServicePermissionError(this.serviceId, `${WRITE.text}:${key}`);
      }
    }
  }

  /** Returns the attributes that the service may read. A hidden one is absent, as if it were not set (ASVS 8.2.3). */
  visible(attributes: SessionAttributes): SessionAttributes {
    if (this.may(READ)) return attributes;
    const entries = Object.entries(attributes);
    return attributesFrom(entries.filter(([key]) => this.sets.every((set) => set.grantsAttribute(READ, key))));
  }
}

/** The id is recorded in the history, where an invalid one could pass for another service or for `@expiry`. */
function assertIsService(service: unknown): void {
  const { serviceId, permissions } = (service ?? {}) as { serviceId?: unknown; permissions?: unknown };
  assertServiceId(serviceId);
  if (!Array.isArray(permissions)) {
    const expectation = 'must be an array, such as the permissions of a verified service';
    throw new ServiceInputError('permissions', `${expectation}${kindMismatch(permissions, 'an array')}.`);
  }
}
