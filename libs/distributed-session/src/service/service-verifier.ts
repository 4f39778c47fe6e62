import { Logger } from '@nestjs/common';
import { ServiceAuthenticationError } from '../errors/service.errors.js';
import { INPUT_LIMITS } from '../model/input-limits.js';
import { isServiceId } from '../model/service-id.js';
import {
  MAX_SERVICE_SECRETS,
  type ServiceCredentialRecord,
  type StoredServiceSecret,
} from '../storage/service-credential-storage.js';
import type { SessionStorage } from '../storage/session-storage.js';
import { FailureThrottle } from './failure-throttle.js';
import type { SecretHasher } from './secret-hasher.js';
import { type VerifiedService, toVerifiedService } from './service-credential.js';
import { keyIdOf, looksGenerated } from './service-secret.js';
import { VerificationCache } from './verification-cache.js';

/** Maximum number of concurrent slow hashes. Further attempts are rejected, so that they cannot exhaust the process. */
const MAX_SLOW_CHECKS = 32;
const USE_INTERVAL_MS = 60_000;

export interface VerifyServiceOptions {
  /**
   * The origin of the attempt, such as the client's IP address. Failures are throttled per service and source: ten
   * within a minute block the source for the rest of that minute. Without a source, nothing is throttled.
   */
  readonly source?: string;
}

/**
 * Authenticates services by their secrets. The work for a rejection depends only on the form of the presented secret,
 * never on whether the service exists, whether it has other secrets, or which part did not match (CWE-203, CWE-208).
 */
export class ServiceVerifier {
  readonly #logger = new Logger(ServiceVerifier.name);
  readonly #cache: VerificationCache;
  readonly #throttle: FailureThrottle;
  #slowChecks = 0;

  constructor(
    private readonly storage: SessionStorage,
    private readonly hasher: SecretHasher,
    /** How long a successful verification is cached, in milliseconds. */
    cacheMs: number,
  ) {
    this.#cache = new VerificationCache(storage, cacheMs);
    this.#throttle = new FailureThrottle(storage);
  }

  /**
   * Returns the service that the id and secret authenticate. A generated secret also identifies its service without an
   * id.
   *
   * @throws {ServiceAuthenticationError} the same for every cause.
   */
  async verify(serviceId: unknown, secret: unknown, { source }: VerifyServiceOptions = {}): Promise<VerifiedService> {
    const { maxServiceSecretLength } = INPUT_LIMITS;
    if (typeof secret !== 'string' || secret === '' || secret.length > maxServiceSecretLength) throw rejected();
    // All lone surrogates become the same bytes in UTF-8.
    if (!secret.isWellFormed()) throw rejected();
    const keyId = keyIdOf(secret);
    if (serviceId === undefined ? keyId === undefined : !isServiceId(serviceId)) throw rejected();
    const id = serviceId as string | undefined;
    const cached = this.#cache.find(id, secret);
    if (cached) return cached;
    const subject = id ?? keyId!;
    const retryAfterMs = source === undefined ? undefined : this.#throttle.blockedForMs(subject, source);
    if (retryAfterMs !== undefined) throw new ServiceAuthenticationError(retryAfterMs);
    const addToCache = this.#cache.begin(id, secret);
    const { services } = this.storage;
    const record = await (id === undefined ? services.findByKeyId(keyId!) : services.find(id));
    const matched = await this.#match(record, secret, keyId);
    if (!record || !matched) {
      if (source !== undefined) this.#throttle.recordFailure(subject, source);
      throw rejected();
    }
    const service = toVerifiedService(record, matched);
    addToCache(service);
    void this.#recordUse(record.serviceId, matched);
    return service;
  }

  /** Clears the cache after a change by this process, before the change arrives on the feed. */
  forget(): void {
    this.#cache.clear();
  }

  close(): void {
    this.#cache.close();
  }

  /** Returns the record's secret that matches the presented one. */
  async #match(
    record: ServiceCredentialRecord | undefined,
    secret: string,
    keyId: string | undefined,
  ): Promise<StoredServiceSecret | undefined> {
    if (looksGenerated(secret)) {
      const candidate = record?.secrets.find((stored) => stored.keyId === keyId);
      return this.hasher.matchesGenerated(secret, candidate?.hash) ? candidate : undefined;
    }
    if (this.#slowChecks >= MAX_SLOW_CHECKS) throw new ServiceAuthenticationError(1_000);
    this.#slowChecks++;
    try {
      const chosen = record?.secrets.filter(({ hash }) => hash.algorithm === 'argon2id') ?? [];
      // The same number of comparisons for every service, registered or not: missing secrets are compared as well.
      const slots = Array.from({ length: MAX_SERVICE_SECRETS }, (_, index) => chosen[index]);
      const matches = await Promise.all(slots.map((stored) => this.hasher.matchesChosen(secret, stored?.hash)));
      return slots[matches.indexOf(true)];
    } finally {
      this.#slowChecks--;
    }
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
