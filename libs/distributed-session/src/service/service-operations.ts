import { parsePermission } from './permission.js';
import type { ServiceAccess } from './service-access.js';
import type { IssuedServiceCredential, ServiceCredential } from './service-credential.js';
import { type ServiceRegistration, assertKnownFields } from './service-input.js';
import type { RotateServiceSecretOptions, ServiceRegistry } from './service-registry.js';
import type { ServiceVerifier, VerifyServiceOptions } from './service-verifier.js';

/** The half of the manager that is about services: who they are, how they prove it, and what they may do. */
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
   * Whether all of a permission is granted to who this manager acts for: to show or hide what would be refused. Every
   * method checks for itself. Throws `ServiceInputError` for what is no permission.
   */
  may(permission: string): boolean {
    return this.access.may(parsePermission(permission));
  }

  /**
   * Registers a service and returns it with its secret, once. Asks for `service.manage`, and for every permission
   * that it gives. Throws `ServiceExistsError` if the id is taken, unless `replace` is true; `ServiceInputError`.
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
   * The service that this id and secret prove. Asks for `service.read`. Throws `ServiceAuthenticationError`, the same
   * for an unknown service and a wrong secret. With a `source`, failures from there are throttled.
   */
  async verifyService(
    serviceId: string,
    secret: string,
    options: VerifyServiceOptions = {},
  ): Promise<ServiceCredential> {
    this.access.require('service.read');
    assertKnownFields('options', options, ['source']);
    return this.#verifier.verify(serviceId ?? '', secret, options);
  }

  /** Like {@link verifyService}, for a generated secret (`dss_…`), which names its service itself. */
  async verifyServiceSecret(secret: string, options: VerifyServiceOptions = {}): Promise<ServiceCredential> {
    this.access.require('service.read');
    assertKnownFields('options', options, ['source']);
    return this.#verifier.verify(undefined, secret, options);
  }

  /**
   * Gives a service a new secret and returns it, once. The secret until now stays good for `overlapMs` (default
   * 24 h); with 0 all earlier ones end at once. Asks for `service.manage` and for every permission of the service.
   * Throws `ServiceNotFoundError`; `ServiceConflictError` if two secrets are good already.
   */
  async rotateServiceSecret(
    serviceId: string,
    options: RotateServiceSecretOptions = {},
  ): Promise<IssuedServiceCredential> {
    this.access.require('service.manage');
    return this.#registry.rotateSecret(serviceId, options, this.access);
  }

  /** Ends one secret of a service now, by its key id. Resolves to whether it was good. Asks for `service.manage`. */
  async endServiceSecret(serviceId: string, keyId: string): Promise<boolean> {
    this.access.require('service.manage');
    return this.#registry.endSecret(serviceId, keyId, this.access);
  }

  /**
   * Removes a service and all its secrets; every process refuses it from then on. Resolves to whether there was one.
   * The sessions that it created stay. Asks for `service.manage`.
   */
  async revokeService(serviceId: string): Promise<boolean> {
    this.access.require('service.manage');
    return this.#registry.revoke(serviceId, this.access);
  }

  /** All registered services, by id. Asks for `service.read`. */
  async listServices(): Promise<readonly ServiceCredential[]> {
    this.access.require('service.read');
    return this.#registry.list();
  }
}
