import type { AttemptOrigin } from './failure-throttle.js';
import { parsePermission } from './permission.js';
import type { ServiceAccess } from './service-access.js';
import type { IssuedServiceCredential, ListedService, VerifiedService } from './service-credential.js';
import { type ServiceRegistration, assertKnownFields, assertVerifyOptions } from './service-input.js';
import type { RotateServiceSecretOptions, ServiceRegistry } from './service-registry.js';
import type { ServiceVerifier, VerifyServiceOptions } from './service-verifier.js';

/** The manager's methods for services: their registration, authentication and permissions. */
export abstract class ServiceOperations {
  readonly #registry: ServiceRegistry;
  readonly #verifier: ServiceVerifier;

  protected constructor(
    parts: { readonly registry: ServiceRegistry; readonly verifier: ServiceVerifier },
    protected readonly access: ServiceAccess,
  ) {
    this.#registry = parts.registry;
    this.#verifier = parts.verifier;
  }

  /**
   * Returns whether this manager has all of a permission, for example to hide actions that would be rejected. Every
   * method checks its permission itself.
   *
   * @example
   * const canEndSessions = sessions.as(service).may('session.delete');
   *
   * @throws {ServiceInputError} when the text is not a valid permission.
   */
  may(permission: string): boolean {
    return this.access.may(parsePermission(permission));
  }

  /**
   * Registers a service and returns it with its secret, once. Requires the `service.manage` permission and every
   * permission that the service receives.
   *
   * @param options - `replace` overwrites a service of the same id with all its secrets. Defaults to false.
   *
   * @example
   * const { secret } = await sessions.registerService({
   *   serviceId: 'order',
   *   serviceName: 'Orders',
   *   permissions: ['session.read', 'session.write:order.*'],
   * });
   *
   * @throws {ServicePermissionError} when a permission is missing.
   * @throws {ServiceInputError} when a field is invalid.
   * @throws {ServiceExistsError} when the id is already registered, unless `replace` is true.
   * @throws {ServiceConflictError} when a registered id differs only in case, dots, hyphens or underscores.
   */
  async registerService(
    service: ServiceRegistration,
    options: { readonly replace?: boolean } = {},
  ): Promise<IssuedServiceCredential> {
    this.access.require('service.manage');
    assertKnownFields('options', options, ['replace']);
    return this.#registry.register(service, options.replace === true, this.access);
  }

  /**
   * Authenticates a service by its id and secret, and returns it with the key id of that secret. Requires the `service.read` permission.
   *
   * @example
   * const service = await sessions.verifyService('order', secret, { source: request.ip });
   * const session = await sessions.as(service).getSession(sessionId);
   *
   * @throws {ServicePermissionError} when the permission is missing.
   * @throws {ServiceInputError} when an option is unknown.
   * @throws {ServiceAuthenticationError} when the service is unknown or the secret is wrong, without revealing which.
   * Failures from the same `source` are throttled: the error then has `retryAfterMs`.
   */
  async verifyService(serviceId: string, secret: string, options: VerifyServiceOptions = {}): Promise<VerifiedService> {
    this.access.require('service.read');
    return this.#verifier.verify(serviceId ?? '', secret, this.#originOf(options));
  }

  /**
   * Authenticates a service by a generated secret (`dss_…`) alone, which identifies the service. Requires the
   * `service.read` permission.
   *
   * @example
   * const service = await sessions.verifyServiceSecret(secret);
   *
   * @throws {ServicePermissionError} when the permission is missing.
   * @throws {ServiceInputError} when an option is unknown.
   * @throws {ServiceAuthenticationError} like {@link verifyService}.
   */
  async verifyServiceSecret(secret: string, options: VerifyServiceOptions = {}): Promise<VerifiedService> {
    this.access.require('service.read');
    return this.#verifier.verify(undefined, secret, this.#originOf(options));
  }

  /**
   * Adds a new secret to a service and returns it, once. The current secret remains valid for `overlapMs`. Requires
   * the `service.manage` permission and every permission of the service.
   *
   * @example
   * const { secret } = await sessions.rotateServiceSecret('order', { overlapMs: 60 * 60_000 });
   *
   * @example
   * // After a leak: all earlier secrets end now.
   * const { secret } = await sessions.rotateServiceSecret('order', { overlapMs: 0 });
   *
   * @throws {ServicePermissionError} when a permission is missing.
   * @throws {ServiceInputError} when an argument is invalid.
   * @throws {ServiceNotFoundError} when the service is not registered.
   * @throws {ServiceConflictError} when the service already has two valid secrets, unless `overlapMs` is 0, or when others
   * keep changing it.
   */
  async rotateServiceSecret(
    serviceId: string,
    options: RotateServiceSecretOptions = {},
  ): Promise<IssuedServiceCredential> {
    this.access.require('service.manage');
    return this.#registry.rotateSecret(serviceId, options, this.access);
  }

  /**
   * Ends one secret of a service now. Returns whether the secret was valid. Requires the `service.manage` permission.
   *
   * @example
   * await sessions.endServiceSecret('order', keyId);
   *
   * @throws {ServicePermissionError} when the permission is missing.
   * @throws {ServiceInputError} when an id is invalid.
   */
  async endServiceSecret(serviceId: string, keyId: string): Promise<boolean> {
    this.access.require('service.manage');
    return this.#registry.endSecret(serviceId, keyId, this.access);
  }

  /**
   * Removes a service with all its secrets, so that every process rejects it. Its sessions remain. Returns whether the
   * service was registered. Requires the `service.manage` permission.
   *
   * @example
   * await sessions.revokeService('order');
   *
   * @throws {ServicePermissionError} when the permission is missing.
   * @throws {ServiceInputError} when the id is invalid.
   */
  async revokeService(serviceId: string): Promise<boolean> {
    this.access.require('service.manage');
    return this.#registry.revoke(serviceId, this.access);
  }

  /**
   * Lists all registered services, sorted by id. One that cannot be read is marked and does not hide the others. Requires the
   * `service.read` permission.
   *
   * @example
   * const ids = (await sessions.listServices()).map(({ serviceId }) => serviceId);
   *
   * @throws {ServicePermissionError} when the permission is missing.
   */
  async listServices(): Promise<readonly ListedService[]> {
    this.access.require('service.read');
    return this.#registry.list();
  }

  /** A service that acts through this manager names the sources itself, so its failures are counted in total, too. */
  #originOf(options: VerifyServiceOptions): AttemptOrigin {
    assertVerifyOptions(options);
    return this.access.isUnrestricted ? options : { ...options, caller: this.access.serviceId };
  }
}
