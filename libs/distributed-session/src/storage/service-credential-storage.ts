/** How a stored secret is compared: what is needed to check it, and not the secret. */
export type SecretHash =
  /** Of a generated secret: HMAC-SHA-256 under the pepper, base64url. Its 256 random bits need no slow hash. */
  | { readonly algorithm: 'hmac-sha256'; readonly digest: string }
  /** Of a secret the caller chose: argon2id as a PHC string, parameters and salt included. */
  | { readonly algorithm: 'argon2id'; readonly encoded: string };

/** One secret of a service. Times are epoch milliseconds of the storage's clock. */
export interface StoredServiceSecret {
  /** Names the secret and proves nothing. Unique in the store. */
  readonly keyId: string;
  readonly hash: SecretHash;
  readonly createdAt: number;
  /** From this millisecond on it is refused. Absent: no end is set. */
  readonly endsAt?: number;
  readonly lastUsedAt?: number;
}

/** A registered service, as the storage keeps it. */
export interface ServiceCredentialRecord {
  readonly serviceId: string;
  readonly serviceName: string;
  readonly permissions: readonly string[];
  /** 1 when first registered, one more with each replacement and each change of its secrets. A use does not change it. */
  readonly version: number;
  /** When it was first registered. Replacing it keeps this. */
  readonly createdAt: number;
  /** The secrets that have not ended, at most {@link MAX_SERVICE_SECRETS}, oldest first. */
  readonly secrets: readonly StoredServiceSecret[];
}

/** So that a rotation has an overlap, and no more than that. */
export const MAX_SERVICE_SECRETS = 2;

/** How many services a store holds. They are named by people, so a list of them needs no pages. */
export const MAX_SERVICES = 1_000;

export type NewServiceSecret = Pick<StoredServiceSecret, 'keyId' | 'hash'>;

export interface PutService {
  readonly serviceId: string;
  readonly serviceName: string;
  readonly permissions: readonly string[];
  readonly secret: NewServiceSecret;
  /** Whether a service of this id, with all its secrets, is replaced. */
  readonly replace: boolean;
  /** The id of the service on whose behalf this is written. */
  readonly by: string;
}

export type PutServiceResult =
  { readonly outcome: 'stored'; readonly service: ServiceCredentialRecord } | { readonly outcome: 'exists' };

export interface AddServiceSecret {
  readonly serviceId: string;
  /** The version that the caller has seen: a secret is for a service with the permissions that it had then. */
  readonly expectedVersion: number;
  readonly secret: NewServiceSecret;
  /** How long the secret until now stays good, in milliseconds; 0 ends all earlier ones in this step. */
  readonly overlapMs: number;
  readonly by: string;
}

export type AddServiceSecretResult =
  | { readonly outcome: 'stored'; readonly service: ServiceCredentialRecord }
  /** Two secrets are good already; a third is refused. */
  | { readonly outcome: 'too-many-secrets' }
  /** The service has changed; nothing was written. */
  | { readonly outcome: 'conflict' }
  | { readonly outcome: 'missing' };

/**
 * Where the credentials of services live. Reached as `SessionStorage.services`.
 *
 * Each method is one atomic step. The storage stamps the times. An ended secret is neither returned nor counted.
 * Each change is announced as `service.changed` on the feed of the session storage in the same step. Errors are
 * those of {@link SessionStorage}; `put` rejects with `StorageFullError` beyond {@link MAX_SERVICES}.
 * What is returned shares no mutable state with what is kept.
 */
export abstract class ServiceCredentialStorage {
  /** Registers a service. Without `replace` an id that is taken changes nothing and answers `exists`. */
  abstract put(service: PutService): Promise<PutServiceResult>;

  /** The service of this id, or `undefined`. Nothing but the id decides, whatever string it is. */
  abstract find(serviceId: string): Promise<ServiceCredentialRecord | undefined>;

  /** The service that has a secret of this key id, or `undefined`. */
  abstract findByKeyId(keyId: string): Promise<ServiceCredentialRecord | undefined>;

  /**
   * Adds a secret, if the service is at `expectedVersion`. Each earlier one ends `overlapMs` from now, unless it ends sooner already; with 0 they are gone at
   * once. With an overlap a third secret is refused.
   */
  abstract addSecret(addition: AddServiceSecret): Promise<AddServiceSecretResult>;

  /** Ends one secret now. Resolves to whether it was good until now. */
  abstract endSecret(ending: {
    readonly serviceId: string;
    readonly keyId: string;
    readonly by: string;
  }): Promise<boolean>;

  /** Notes that a secret was used now. An unknown key id is no error. Not announced. */
  abstract recordUse(use: { readonly serviceId: string; readonly keyId: string }): Promise<void>;

  /** Removes a service and all its secrets. Resolves to whether there was one. */
  abstract remove(removal: { readonly serviceId: string; readonly by: string }): Promise<boolean>;

  /** All services, by id in ascending order of their UTF-16 code units. */
  abstract list(): Promise<readonly ServiceCredentialRecord[]>;
}
