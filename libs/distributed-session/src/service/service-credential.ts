import { isPermission } from './permission.js';
import { hideGetters } from '../model/secret.js';
import type { UnreadableCause } from '../model/session.js';
import type {
  ListedServiceRecord,
  ServiceCredentialRecord,
  StoredServiceSecret,
} from '../storage/service-credential-storage.js';

/** Metadata about a secret, without the secret itself. Times are epoch milliseconds of the storage's clock. */
export interface ServiceSecretStatus {
  /** Identifies the secret, for example to end it. It is not a credential. */
  readonly keyId: string;
  readonly createdAt: number;
  /** When the secret expires. Absent: it does not expire. */
  readonly endsAt?: number;
  /** The last recorded use, updated at most once a minute. Absent: no use is recorded. */
  readonly lastUsedAt?: number;
}

/** A registered service, deeply frozen and without its secrets and their hashes. Safe to show and to log. */
export interface ServiceCredential {
  readonly serviceId: string;
  readonly serviceName: string;
  /** Permissions such as `session.read` or `session.write:cart.*`. */
  readonly permissions: readonly string[];
  /** 1 at first, incremented by each replacement and each change of the secrets, but not by a use. */
  readonly version: number;
  /** When the service was first registered, in epoch milliseconds of the storage's clock. */
  readonly createdAt: number;
  /** The valid secrets, oldest first: one, or two during a rotation. */
  readonly secrets: readonly ServiceSecretStatus[];
  /** Absent. Only an {@link UnreadableService} in a list has it. */
  readonly unreadable?: undefined;
}

/** A service in a list whose record cannot be read. It cannot authenticate here, and it can be revoked. */
export interface UnreadableService {
  readonly serviceId: string;
  readonly unreadable: UnreadableCause;
}

/**
 * An entry in the list of services. `unreadable` distinguishes the two.
 *
 * @example
 * const listed = await sessions.listServices();
 * const names = listed.map((service) => (service.unreadable ? service.serviceId : service.serviceName));
 */
export type ListedService = ServiceCredential | UnreadableService;

/**
 * A service that `verifyService()`, `verifyServiceSecret()` or `ServiceAuthGuard` authenticated, as it was at that
 * `version`, and the secret that authenticated it. Something that outlives the request, such as a stream or a stored
 * reply, belongs to this secret and this version. It lacks permissions in the notation of a later release, which shares the
 * store: they grant nothing here.
 *
 * @example
 * const { serviceId, version, keyId } = await sessions.verifyServiceSecret(secret);
 */
export interface VerifiedService extends ServiceCredential {
  /** The key id of the secret that authenticated the service. */
  readonly keyId: string;
  /** When that secret expires, in epoch milliseconds. Absent: it does not expire, unless it is ended or revoked. */
  readonly secretEndsAt?: number;
}

/**
 * A service with its new secret. This is the only time that the secret leaves the library. `secret` is a getter:
 * logging, inspecting, spreading or serializing the object does not expose it.
 */
export interface IssuedServiceCredential extends ServiceCredential {
  readonly secret: string;
  /** The key id of `secret`. */
  readonly keyId: string;
}

export function toListedService(record: ListedServiceRecord): ListedService {
  return record.unreadable === undefined ? toServiceCredential(record) : Object.freeze({ ...record });
}

function toServiceCredential(record: ServiceCredentialRecord): ServiceCredential {
  return Object.freeze(describe(record));
}

export function toVerifiedService(
  record: ServiceCredentialRecord,
  { keyId, endsAt }: Pick<StoredServiceSecret, 'keyId' | 'endsAt'>,
): VerifiedService {
  // A later release may have another notation. It grants nothing here, and does not prevent the others from doing so.
  const permissions = Object.freeze(record.permissions.filter(isPermission));
  return Object.freeze({
    ...describe(record),
    permissions,
    keyId,
    ...(endsAt !== undefined && { secretEndsAt: endsAt }),
  });
}

export function toIssuedServiceCredential(
  record: ServiceCredentialRecord,
  keyId: string,
  secret: string,
): IssuedServiceCredential {
  return new ServiceWithSecret({ ...describe(record), keyId }, secret) as unknown as IssuedServiceCredential;
}

/** A service, and its secret behind a getter that no dump reads. */
class ServiceWithSecret {
  readonly #secret: string;

  static {
    hideGetters(this.prototype);
  }

  constructor(service: Omit<IssuedServiceCredential, 'secret'>, secret: string) {
    Object.assign(this, service);
    this.#secret = secret;
    Object.freeze(this);
  }

  get secret(): string {
    return this.#secret;
  }
}

function describe(record: ServiceCredentialRecord): ServiceCredential {
  const { serviceId, serviceName, permissions, version, createdAt, secrets } = record;
  return {
    serviceId,
    serviceName,
    permissions: Object.freeze([...permissions]),
    version,
    createdAt,
    secrets: Object.freeze(secrets.map(({ hash, ...status }) => Object.freeze(status))),
  };
}
