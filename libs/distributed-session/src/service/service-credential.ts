import type { ServiceCredentialRecord } from '../storage/service-credential-storage.js';

/** What is known of a secret without knowing it. Times are epoch milliseconds of the storage's clock. */
export interface ServiceSecretStatus {
  readonly keyId: string;
  readonly createdAt: number;
  /** From this millisecond on it is refused. Absent: no end is set. */
  readonly endsAt?: number;
  /** The last recorded use, written at most once a minute. */
  readonly lastUsedAt?: number;
}

/** A registered service, as it may be shown: deeply frozen, without secrets and their hashes. */
export interface ServiceCredential {
  readonly serviceId: string;
  readonly serviceName: string;
  readonly permissions: readonly string[];
  readonly createdAt: number;
  /** The secrets that are good now, oldest first: one, or two during a rotation. */
  readonly secrets: readonly ServiceSecretStatus[];
}

/**
 * A service with its new secret: the only time the secret leaves the library. `secret` is not enumerable, so that a
 * credential that is logged, spread or sent as JSON does not hold it.
 */
export interface IssuedServiceCredential extends ServiceCredential {
  readonly secret: string;
  readonly keyId: string;
}

export function toServiceCredential(record: ServiceCredentialRecord): ServiceCredential {
  const { serviceId, serviceName, permissions, createdAt, secrets } = record;
  return Object.freeze({
    serviceId,
    serviceName,
    permissions: Object.freeze([...permissions]),
    createdAt,
    secrets: Object.freeze(secrets.map(({ hash, ...status }) => Object.freeze(status))),
  });
}

export function toIssuedServiceCredential(
  record: ServiceCredentialRecord,
  keyId: string,
  secret: string,
): IssuedServiceCredential {
  const issued = { ...toServiceCredential(record), keyId };
  Object.defineProperty(issued, 'secret', { value: secret });
  return Object.freeze(issued) as IssuedServiceCredential;
}
