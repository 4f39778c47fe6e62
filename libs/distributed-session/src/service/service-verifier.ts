import { Logger } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { ServiceAuthenticationError } from '../errors/service.errors.js';
import { StorageNewerFormatError } from '../errors/storage.errors.js';
import { INPUT_LIMITS } from '../model/input-limits.js';
import { isServiceId } from '../model/service-id.js';
import {
  MAX_SERVICE_SECRETS,
  type PepperedHash,
  type ServiceCredentialRecord,
  type StoredServiceSecret,
} from '../storage/service-credential-storage.js';
import type { SessionStorage } from '../storage/session-storage.js';
import { type Attempt, type AttemptOrigin, FailureThrottle } from './failure-throttle.js';
import { PepperChange } from './pepper-change.js';
import { RefusalPace } from './refusal-pace.js';
import type { SecretHasher } from './secret-hasher.js';
import type { VerifiedService } from './service-credential.js';
import { keyIdOf, looksGenerated } from './service-secret.js';
import { isOfLaterRelease } from './secret-hashes.js';
import { SlowCheckQueue } from './slow-check-queue.js';
import { VerificationCache } from './verification-cache.js';

const USE_INTERVAL_MS = 60_000;
const MAX_KNOWN_SOURCES = 1_000;
/** Ranks a source of earlier successes before others, but not an attacker for long who shares its address. */
const KNOWN_SOURCE_RANK = -3;

export interface VerifyServiceOptions {
  /**
   * The origin of the attempt, such as the client's IP address; a port is ignored, and an IPv6 network (/64) is one
   * origin. Within a minute, ten failures block a source for one service, and fifty for all services. A generated secret
   * that is correct is never blocked. Without a source, nothing is throttled. A view that `as()` returns has thirty
   * failures in a minute, whatever sources it names.
   */
  readonly source?: string;
}

/** A well-formed credential, and where it comes from. */
interface Presented {
  readonly serviceId: string | undefined;
  readonly secret: string;
  /** The credential's name in the cache. */
  readonly key: string;
  readonly attempt: Attempt;
}

/**
 * Authenticates services by their secrets. The work for a rejection depends only on the form of the presented secret,
 * never on whether the service exists, whether it has other secrets, or which part did not match (CWE-203, CWE-208).
 */
export class ServiceVerifier {
  readonly #logger = new Logger(ServiceVerifier.name);
  readonly #cache: VerificationCache;
  readonly #throttle: FailureThrottle;
  readonly #slowChecks = new SlowCheckQueue();
  readonly #pace = new RefusalPace();
  readonly #peppers: PepperChange;
  /** The comparisons of chosen secrets in progress, by the credential's name in the cache. */
  readonly #comparisons = new Map<string, Promise<VerifiedService>>();
  readonly #knownSources = new LRUCache<string, true>({ max: MAX_KNOWN_SOURCES });

  constructor(
    private readonly storage: SessionStorage,
    private readonly hasher: SecretHasher,
    /** How long a successful verification is valid without reading the service again, in milliseconds. */
    cacheMs: number,
  ) {
    this.#peppers = new PepperChange(storage, hasher);
    this.#cache = new VerificationCache(
      storage,
      cacheMs,
      (...use) => void this.#recordUse(...use),
      (...lasting) => this.#peppers.renew(...lasting),
    );
    this.#throttle = new FailureThrottle(storage);
  }

  /**
   * Returns the service that the id and secret authenticate. A generated secret also identifies its service without an
   * id.
   *
   * @throws {ServiceAuthenticationError} the same for every reason. Its `cause` is a `KeyUnavailableError` if this process
   * does not have the pepper of the service's secrets.
   */
  async verify(serviceId: unknown, secret: unknown, origin: AttemptOrigin = {}): Promise<VerifiedService> {
    const { maxServiceSecretLength } = INPUT_LIMITS;
    if (typeof secret !== 'string' || secret === '' || secret.length > maxServiceSecretLength) throw rejected();
    // All lone surrogates become the same bytes in UTF-8.
    if (!secret.isWellFormed()) throw rejected();
    const keyId = keyIdOf(secret);
    if (serviceId === undefined ? keyId === undefined : !isServiceId(serviceId)) throw rejected();
    const id = serviceId as string | undefined;
    const key = this.#cache.keyOf(id, secret);
    const cached = this.#cache.find(key, secret) ?? (await this.#cache.reread(key, secret));
    if (cached) return cached;
    const presented = { serviceId: id, secret, key, attempt: this.#throttle.attempt(id ?? keyId!, origin) };
    return this.#pace.of(
      looksGenerated(secret) ? this.#verifyGenerated(presented, keyId) : this.#verifyChosen(presented),
    );
  }

  /** Logs which services this process cannot verify, because it does not have the pepper of their secrets. */
  async checkPeppers(): Promise<void> {
    await this.#peppers.check();
  }

  /** Makes cached verifications read their services again: this process changed one, which the feed reports later. */
  forget(): void {
    this.#cache.expire();
  }

  close(): void {
    this.#cache.close();
  }

  /** Blocks no correct secret: it cannot be guessed, and comparing it is cheap. A malformed one needs no reading. */
  async #verifyGenerated(presented: Presented, keyId: string | undefined): Promise<VerifiedService> {
    const { serviceId, secret, key, attempt } = presented;
    const { services } = this.storage;
    const accept = this.#cache.begin(key);
    const find = () => (serviceId === undefined ? services.findByKeyId(keyId!) : services.find(serviceId));
    const record = keyId === undefined ? undefined : await find();
    const candidate = record?.secrets.find((stored) => stored.keyId === keyId);
    const matched = this.hasher.matchGenerated(secret, candidate?.hash);
    if (!record || !candidate || !matched) {
      throw this.#failed(attempt, this.#unverifiable(record, candidate && [candidate]));
    }
    this.#knownSources.set(attempt.source, true);
    this.#peppers.renew(record.serviceId, candidate, secret, matched);
    return accept(record, candidate, matched);
  }

  /** Compares a chosen secret in its turn. Of the same credential presented several times at once, compares one. */
  async #verifyChosen(presented: Presented): Promise<VerifiedService> {
    const { secret, key, attempt } = presented;
    this.#throttle.assertAllowed(attempt);
    if (this.#comparisons.has(key)) {
      await this.#comparisons.get(key);
      const cached = this.#cache.find(key, secret) ?? (await this.#cache.reread(key, secret));
      if (cached) return cached;
    }
    const rank = this.#throttle.failuresOf(attempt) + (this.#knownSources.has(attempt.source) ? KNOWN_SOURCE_RANK : 0);
    const comparison = this.#slowChecks.run(attempt.source, rank, () => this.#compareChosen(presented));
    this.#comparisons.set(key, comparison);
    try {
      return await comparison;
    } finally {
      if (this.#comparisons.get(key) === comparison) this.#comparisons.delete(key);
    }
  }

  async #compareChosen({ serviceId, secret, key, attempt }: Presented): Promise<VerifiedService> {
    // Other attempts of this source may have failed while this one waited.
    this.#throttle.assertAllowed(attempt);
    const accept = this.#cache.begin(key);
    const record = await this.storage.services.find(serviceId!);
    const chosen = record?.secrets.filter(({ hash }) => hash.algorithm === 'argon2id' || isOfLaterRelease(hash)) ?? [];
    let match: { readonly stored: StoredServiceSecret; readonly hash: PepperedHash } | undefined;
    // The same number of comparisons for every service, registered or not: missing secrets are compared as well.
    for (let index = 0; index < MAX_SERVICE_SECRETS; index++) {
      const stored = chosen[index];
      const hash = await this.hasher.matchChosen(secret, stored?.hash);
      if (stored && hash) match = { stored, hash };
    }
    if (!record || !match) throw this.#failed(attempt, this.#unverifiable(record, chosen));
    this.#knownSources.set(attempt.source, true);
    this.#peppers.renew(record.serviceId, match.stored, secret, match.hash);
    return accept(record, match.stored, match.hash);
  }

  /** Returns why a secret may be right although it cannot be compared; `undefined` if it can. */
  #unverifiable(record?: ServiceCredentialRecord, secrets: readonly StoredServiceSecret[] = []): Error | undefined {
    const isLater = secrets.some(({ hash }) => isOfLaterRelease(hash));
    if (record && isLater) return new StorageNewerFormatError(`A secret of service ${record.serviceId}`);
    return this.#peppers.missing(record?.serviceId, secrets);
  }

  /** Records a failure and returns its error. A source that is blocked already is not blocked for longer. */
  #failed(attempt: Attempt, cause?: Error): ServiceAuthenticationError {
    this.#throttle.assertAllowed(attempt);
    this.#throttle.recordFailure(attempt);
    return new ServiceAuthenticationError(undefined, cause && { cause });
  }

  /** Runs in the background: a verification neither waits for it nor fails with it. */
  async #recordUse(serviceId: string, { keyId, lastUsedAt = -Infinity }: StoredServiceSecret): Promise<void> {
    if (this.storage.now() - lastUsedAt < USE_INTERVAL_MS) return;
    try {
      await this.storage.services.recordUse({ serviceId, keyId });
    } catch (error) {
      const name = error instanceof Error ? error.name : 'unknown';
      this.#logger.warn(`Failed to record the last use of a secret of '${serviceId}': ${name}`);
    }
  }
}

function rejected(): ServiceAuthenticationError {
  return new ServiceAuthenticationError();
}
