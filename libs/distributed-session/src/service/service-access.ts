import { ServiceInputError, ServicePermissionError } from '../errors/service.errors.js';
import { type SessionAttributes, emptyAttributes } from '../model/attributes.js';
import { assertServiceId } from './service-input.js';
import { PermissionSet, type Permission, parsePermission } from './permission.js';
const READ = parsePermission('session.read');
const WRITE = parsePermission('session.write');

/** On whose behalf the manager acts, and what that service may do. */
export class ServiceAccess {
  private constructor(
    readonly serviceId: string,
    /** All must grant. A service that acts through another never has more than either. */
    private readonly sets: readonly PermissionSet[],
  ) {}

  /** The access of the application itself, whose code holds the storage. */
  static unrestricted(serviceId: string): ServiceAccess {
    return new ServiceAccess(serviceId, []);
  }

  /** The access of a service that acts through this one; throws {@link ServiceInputError} for what is no service. */
  narrowedTo(service: { readonly serviceId: string; readonly permissions: readonly string[] }): ServiceAccess {
    assertIsService(service);
    return new ServiceAccess(service.serviceId, [...this.sets, new PermissionSet(service.permissions)]);
  }

  may(required: Permission): boolean {
    return this.sets.every((set) => set.grants(required));
  }

  mayPartly(required: Permission): boolean {
    return this.sets.every((set) => set.grantsPartly(required));
  }

  /** Throws {@link ServicePermissionError} unless all of `required` is granted. */
  require(required: string): void {
    if (!this.may(parsePermission(required))) throw new ServicePermissionError(this.serviceId, required);
  }

  /** Throws unless sessions may be read; which attributes come along, {@link visible} decides. */
  requireRead(): void {
    if (!this.mayPartly(READ)) throw new ServicePermissionError(this.serviceId, READ.text);
  }

  /** Throws unless every one of these attributes may be written. Without keys: unless some may. */
  requireWrite(keys: Iterable<string>): void {
    if (!this.mayPartly(WRITE)) throw new ServicePermissionError(this.serviceId, WRITE.text);
    for (const key of keys) {
      if (!this.sets.every((set) => set.grantsAttribute(WRITE, key))) {
        throw new ServicePermissionError(this.serviceId, `${WRITE.text}:${key}`);
      }
    }
  }

  /** The attributes that the service may see. A hidden one is absent, as if nobody had set it (ASVS 8.2.3). */
  visible(attributes: SessionAttributes): SessionAttributes {
    if (this.may(READ)) return attributes;
    const visible = emptyAttributes();
    for (const [key, value] of Object.entries(attributes)) {
      if (this.sets.every((set) => set.grantsAttribute(READ, key))) visible[key] = value;
    }
    return Object.freeze(visible);
  }
}

/** Its id goes into the history: anything but a service's could be taken for somebody else's, or for `@expiry`. */
function assertIsService(service: unknown): void {
  const { serviceId, permissions } = (service ?? {}) as { serviceId?: unknown; permissions?: unknown };
  assertServiceId(serviceId);
  if (!Array.isArray(permissions))
    throw new ServiceInputError('permissions', 'must be an array, such as that of verifyService().');
}
