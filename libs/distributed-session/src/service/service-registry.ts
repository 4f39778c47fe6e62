import {
  ServiceConflictError,
  ServiceExistsError,
  ServiceInputError,
  ServiceNotFoundError,
  ServicePermissionError,
} from '../errors/service.errors.js';
import { DAY_MS, MAX_DURATION_MS, isDuration } from '../model/duration.js';
import { serviceIdSkeleton } from '../model/service-id.js';
import { kindMismatch } from '../model/value-kind.js';
import type {
  AddServiceSecret,
  NewServiceSecret,
  ServiceCredentialRecord,
  ServiceCredentialStorage,
} from '../storage/service-credential-storage.js';
import { ChosenSecretUniqueness } from './chosen-secret-uniqueness.js';
import { isPermission, parsePermission } from './permission.js';
import type { SecretHasher } from './secret-hasher.js';
import type { ServiceAccess } from './service-access.js';
import {
  type IssuedServiceCredential,
  type ListedService,
  toIssuedServiceCredential,
  toListedService,
} from './service-credential.js';
import {
  type ServiceRegistration,
  assertChosenSecret,
  assertKnownFields,
  assertRegistration,
  assertServiceId,
} from './service-input.js';
import { generateKeyId, generateSecret } from './service-secret.js';

/**
 * How long a service's current secret remains valid after `rotateServiceSecret()` by default: 24 hours, in
 * milliseconds.
 *
 * @example
 * const schema = { type: 'integer', minimum: 0, default: DEFAULT_OVERLAP_MS };
 */
export const DEFAULT_OVERLAP_MS = DAY_MS;

/** The options of `rotateServiceSecret()`. */
export interface RotateServiceSecretOptions {
  /**
   * How long the current secret remains valid, in milliseconds. 0 ends all earlier secrets now.
   *
   * @default 86_400_000
   */
  readonly overlapMs?: number;
  /**
   * A caller-chosen secret of 12 to 512 characters, only for the application's own manager and not for a view that
   * `as()` returns. No two services may have the same one.
   *
   * @default a generated secret
   */
  readonly secretKey?: string;
}

/** Maximum number of attempts to change the newest version, before the change fails with a conflict. */
const MAX_ATTEMPTS = 10;

/**
 * Registers services and changes their secrets. A caller can only grant permissions that it holds, whether it registers
 * a service or adds a secret to one.
 */
export class ServiceRegistry {
  readonly #uniqueness: ChosenSecretUniqueness;
  #lastChosen: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly services: ServiceCredentialStorage,
    private readonly hasher: SecretHasher,
    /** Called after each change of a registered service. */
    private readonly onChange: () => void,
    /** The service id of the application. */
    private readonly ownServiceId?: string,
  ) {
    this.#uniqueness = new ChosenSecretUniqueness(services, hasher);
  }

  async register(
    registration: ServiceRegistration,
    replace: boolean,
    access: ServiceAccess,
  ): Promise<IssuedServiceCredential> {
    // Before anything depends on the secret.
    assertMayChoose(registration?.secretKey, access);
    assertRegistration(registration);
    const { serviceId, serviceName, permissions, secretKey } = registration;
    this.#assertNotOwn(serviceId, access);
    requireAll(permissions, access);
    // A service may be replaced with its current secret: an application may register it at every start.
    const { stored, secret, service } = await this.#withNewSecret(secretKey, serviceId, async (fresh) => {
      const put = { serviceId, serviceName, permissions, secret: fresh, replace, by: access.serviceId };
      const result = await this.services.put(put);
      if (result.outcome === 'exists') throw new ServiceExistsError(serviceId);
      if (result.outcome === 'look-alike') throw lookAlike(serviceId, result.serviceId);
      return result.service;
    });
    this.onChange();
    return toIssuedServiceCredential(service, stored.keyId, secret);
  }

  async rotateSecret(
    serviceId: string,
    options: RotateServiceSecretOptions,
    access: ServiceAccess,
  ): Promise<IssuedServiceCredential> {
    assertKnownFields('options', options, ['overlapMs', 'secretKey']);
    const { overlapMs = DEFAULT_OVERLAP_MS, secretKey } = options;
    if (!isDuration(overlapMs, 0)) {
      const expectation = `must be a whole number of milliseconds from 0 to ${MAX_DURATION_MS}`;
      throw new ServiceInputError('overlapMs', `${expectation}${kindMismatch(overlapMs, 'a number')}.`);
    }
    assertMayChoose(secretKey, access);
    if (secretKey !== undefined) assertChosenSecret(secretKey);
    assertServiceId(serviceId);
    this.#assertNotOwn(serviceId, access);
    const { stored, secret, service } = await this.#withNewSecret(secretKey, undefined, (fresh) =>
      this.#addSecret({ serviceId, secret: fresh, overlapMs, by: access.serviceId }, access),
    );
    this.onChange();
    return toIssuedServiceCredential(service, stored.keyId, secret);
  }

  async endSecret(serviceId: string, keyId: string, access: ServiceAccess): Promise<boolean> {
    assertServiceId(serviceId);
    if (typeof keyId !== 'string' || keyId === '') {
      const expectation = "must be the key id of one of the service's secrets";
      throw new ServiceInputError('keyId', `${expectation}${kindMismatch(keyId, 'a string')}.`);
    }
    const ended = await this.services.endSecret({ serviceId, keyId, by: access.serviceId });
    if (ended) this.onChange();
    return ended;
  }

  async revoke(serviceId: string, access: ServiceAccess): Promise<boolean> {
    assertServiceId(serviceId);
    const removed = await this.services.remove({ serviceId, by: access.serviceId });
    if (removed) this.onChange();
    return removed;
  }

  async list(): Promise<readonly ListedService[]> {
    return (await this.services.list()).map(toListedService);
  }

  /** A service with the application's own id could leave history entries that look like the application's. */
  #assertNotOwn(serviceId: string, access: ServiceAccess): void {
    const own = this.ownServiceId;
    if (own === undefined || access.isUnrestricted || serviceIdSkeleton(serviceId) !== serviceIdSkeleton(own)) return;
    const reason = `must not be '${own}', the id of the application that manages the services, or look like it`;
    throw new ServiceInputError('serviceId', `${reason}. Choose a different id.`);
  }

  /** Adds a secret to a service after checking its permissions, and only to the version that was checked. */
  async #addSecret(
    addition: Omit<AddServiceSecret, 'expectedVersion'>,
    access: ServiceAccess,
  ): Promise<ServiceCredentialRecord> {
    const { serviceId } = addition;
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const service = await this.services.find(serviceId);
      if (!service) throw new ServiceNotFoundError(serviceId);
      requireAll(service.permissions, access);
      const result = await this.services.addSecret({ ...addition, expectedVersion: service.version });
      if (result.outcome === 'stored') return result.service;
      if (result.outcome === 'missing') throw new ServiceNotFoundError(serviceId);
      if (result.outcome === 'too-many-secrets') {
        const wayOut = 'End one with endServiceSecret(), or pass { overlapMs: 0 } to end both.';
        throw new ServiceConflictError(serviceId, `Service '${serviceId}' already has two valid secrets. ${wayOut}`);
      }
    }
    throw new ServiceConflictError(serviceId);
  }

  /**
   * Creates a secret and writes it. Caller-chosen secrets are written one after another, because each must be stored
   * before the next is compared with it. Only another process can still store the same secret at the same time.
   */
  async #withNewSecret(
    chosen: string | undefined,
    except: string | undefined,
    write: (secret: NewServiceSecret) => Promise<ServiceCredentialRecord>,
  ): Promise<{ stored: NewServiceSecret; secret: string; service: ServiceCredentialRecord }> {
    if (chosen === undefined) {
      const { keyId, secret } = generateSecret();
      const stored = { keyId, hash: this.hasher.hashGenerated(secret) };
      return { stored, secret, service: await write(stored) };
    }
    const turn = this.#lastChosen.then(async () => {
      await this.#uniqueness.assertUnused(chosen, except);
      const stored = { keyId: generateKeyId(), hash: await this.hasher.hashChosen(chosen) };
      const service = await write(stored);
      this.#uniqueness.remember(stored.keyId, chosen);
      return { stored, secret: chosen, service };
    });
    this.#lastChosen = turn.catch(() => undefined);
    return turn;
  }
}

/** Whether a secret is in use is only for the application itself to learn: anyone else could test guesses. */
function assertMayChoose(secretKey: unknown, access: ServiceAccess): void {
  if (secretKey === undefined || access.isUnrestricted) return;
  const reason = "is only available to the application's own manager, not to a service that acts through as()";
  throw new ServiceInputError('secretKey', `${reason}. Omit it to generate a secret.`);
}

function lookAlike(serviceId: string, registered: string): ServiceConflictError {
  const difference = 'only in case, dots, hyphens or underscores';
  const message = `Service id '${serviceId}' differs from the registered '${registered}' ${difference}. Choose a different id.`;
  return new ServiceConflictError(serviceId, message);
}

function requireAll(permissions: readonly string[], access: ServiceAccess): void {
  // In the notation of a later release, a permission may include anything.
  const missing = permissions.find((text) => !access.may(parsePermission(isPermission(text) ? text : '*')));
  if (missing !== undefined) throw new ServicePermissionError(access.serviceId, missing);
}
