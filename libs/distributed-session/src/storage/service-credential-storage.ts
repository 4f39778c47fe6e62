import type { UnreadableCause } from '../model/session.js';

/** The hash of a secret under one pepper: enough to verify the secret, but not to use it. */
export type PepperedHash = (
  | {
      /** For a generated secret: HMAC-SHA-256 under the pepper, base64url. Its 256 random bits need no slow hash. */
      readonly algorithm: 'hmac-sha256';
      readonly digest: string;
    }
  | {
      /** For a secret that the caller has chosen: argon2id as a PHC string, including parameters and salt. */
      readonly algorithm: 'argon2id';
      readonly encoded: string;
    }
  | {
      /** A hash that a later release has stored. It matches no secret in this one, and is never written back. */
      readonly algorithm: 'unknown';
    }
) & {
  /** The id of the pepper; `none`: without one. Absent in a hash of an earlier build. */
  readonly pepper?: string;
};

/** The hash of a secret, and those under the other peppers while the pepper is changed. Opaque to a storage. */
export type SecretHash = PepperedHash & { readonly also?: readonly PepperedHash[] };

/** One secret of a service. Times are epoch milliseconds of the storage's clock. */
export interface StoredServiceSecret {
  /** Identifies the secret. Not a credential. Unique in the store. */
  readonly keyId: string;
  readonly hash: SecretHash;
  readonly createdAt: number;
  /** The secret is invalid from this millisecond on. Absent if it has no end. */
  readonly endsAt?: number;
  readonly lastUsedAt?: number;
}

/** A registered service, as stored. */
export interface ServiceCredentialRecord {
  readonly serviceId: string;
  readonly serviceName: string;
  readonly permissions: readonly string[];
  /** 1 at first, incremented by each replacement and each change of the secrets, but not by a use. */
  readonly version: number;
  /** When the service was first registered. A replacement keeps it. */
  readonly createdAt: number;
  /** The valid secrets, at most {@link MAX_SERVICE_SECRETS}, oldest first. */
  readonly secrets: readonly StoredServiceSecret[];
  /** Absent. Only an {@link UnreadableServiceRecord} in a list has it. */
  readonly unreadable?: undefined;
}

/** A service in a list whose record cannot be read. It can be removed. */
export interface UnreadableServiceRecord {
  readonly serviceId: string;
  readonly unreadable: UnreadableCause;
}

export type ListedServiceRecord = ServiceCredentialRecord | UnreadableServiceRecord;

/** Maximum number of valid secrets per service: enough for a rotation with an overlap. */
export const MAX_SERVICE_SECRETS = 2;

/** Maximum number of services per store. People name them, so the list needs no pages. */
export const MAX_SERVICES = 1_000;

export type NewServiceSecret = Pick<StoredServiceSecret, 'keyId' | 'hash'>;

export interface PutService {
  readonly serviceId: string;
  readonly serviceName: string;
  readonly permissions: readonly string[];
  readonly secret: NewServiceSecret;
  /** Whether to replace a registered service with this id, including its secrets. */
  readonly replace: boolean;
  /** The id of the service that makes the change. */
  readonly by: string;
}

export type PutServiceResult =
  | { readonly outcome: 'stored'; readonly service: ServiceCredentialRecord }
  | { readonly outcome: 'exists' }
  /** Another service has an id with the same `serviceIdSkeleton()`. */
  | { readonly outcome: 'look-alike'; readonly serviceId: string };

export interface AddServiceSecret {
  readonly serviceId: string;
  /** The version that the caller has read: the secret is for a service with these permissions. */
  readonly expectedVersion: number;
  readonly secret: NewServiceSecret;
  /** How long the previous secret stays valid, in milliseconds; 0 ends all earlier ones in this step. */
  readonly overlapMs: number;
  readonly by: string;
}

export type AddServiceSecretResult =
  | { readonly outcome: 'stored'; readonly service: ServiceCredentialRecord }
  /** The service already has two valid secrets. */
  | { readonly outcome: 'too-many-secrets' }
  /** The service is at another version. */
  | { readonly outcome: 'conflict' }
  | { readonly outcome: 'missing' };

export interface RenewSecretHash {
  readonly serviceId: string;
  readonly keyId: string;
  /** The hash that the caller has read. */
  readonly expected: SecretHash;
  readonly hash: SecretHash;
}

/**
 * Stores the registered services and the hashes of their secrets. Available as `SessionStorage.services`.
 *
 * Each method is one atomic step. The storage sets the times. An ended secret is neither returned nor counted. Each
 * change is published as `service.changed` on the feed of the session storage, in the same step. The errors are those of
 * {@link SessionStorage}; `put` rejects with `StorageFullError` beyond {@link MAX_SERVICES}. The results share no mutable
 * state with the storage.
 */
export abstract class ServiceCredentialStorage {
  /**
   * Registers a service. Without `replace`, returns `exists` for a registered id and changes nothing. Returns `look-alike`
   * and changes nothing, if the id is not registered but one that differs only in case, dots, hyphens and underscores is.
   */
  abstract put(service: PutService): Promise<PutServiceResult>;

  /** Returns the service with exactly this id, or `undefined`. Any string is allowed. */
  abstract find(serviceId: string): Promise<ServiceCredentialRecord | undefined>;

  /** Returns the service that has a secret with this key id, or `undefined`. */
  abstract findByKeyId(keyId: string): Promise<ServiceCredentialRecord | undefined>;

  /**
   * Adds a secret if the service is at `expectedVersion`. Each earlier one ends `overlapMs` from now, unless it ends
   * sooner; with 0, immediately. With an overlap, rejects a third secret.
   */
  abstract addSecret(addition: AddServiceSecret): Promise<AddServiceSecretResult>;

  /** Ends one secret now. Returns whether it was valid until now. */
  abstract endSecret(ending: {
    readonly serviceId: string;
    readonly keyId: string;
    readonly by: string;
  }): Promise<boolean>;

  /** Records that a secret was used now. Ignores an unknown key id. Publishes nothing. */
  abstract recordUse(use: { readonly serviceId: string; readonly keyId: string }): Promise<void>;

  /**
   * Replaces the stored hash of a secret by another one of the same secret, if it is still the expected one. Returns
   * whether it was replaced. Changes no version and publishes nothing.
   */
  abstract renewHash(renewal: RenewSecretHash): Promise<boolean>;

  /** Removes a service and its secrets. Returns whether it was registered. */
  abstract remove(removal: { readonly serviceId: string; readonly by: string }): Promise<boolean>;

  /**
   * Returns all services in ascending order of the UTF-16 code units of their ids. One whose record cannot be read is
   * marked, and does not hide the others.
   */
  abstract list(): Promise<readonly ListedServiceRecord[]>;
}
