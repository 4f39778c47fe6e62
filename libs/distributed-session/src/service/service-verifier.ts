import { Logger } from '@nestjs/common';
import { ServiceAuthenticationError } from '../errors/service.errors.js';
import type { ResolvedOptions } from '../resolve-options.js';
import {
  MAX_SERVICE_SECRETS,
  type ServiceCredentialRecord,
  type StoredServiceSecret,
} from '../storage/service-credential-storage.js';
import { FailureThrottle } from './failure-throttle.js';
import type { SecretHasher } from './secret-hasher.js';
import { type ServiceCredential, toServiceCredential } from './service-credential.js';
import { isServiceId } from '../model/service-id.js';
import { INPUT_LIMITS } from '../model/input-limits.js';
import { keyIdOf, looksGenerated } from './service-secret.js';
import { VerificationCache } from './verification-cache.js';

/** Slow hashes under way in this process; more are refused, so that they are no lever to exhaust it. */
const MAX_SLOW_CHECKS = 32;
const USE_INTERVAL_MS = 60_000;

export interface VerifyServiceOptions {
  /** Where the attempt comes from, such as a client address. Failures are throttled per service and source. */
  readonly source?: string;
}

/**
 * Proves services by their secrets. How much work a refusal takes depends on the form of the presented secret alone,
 * never on whether the service exists, has other secrets, or which part did not match (CWE-203, CWE-208).
 */
export class ServiceVerifier {
  readonly #logger = new Logger(ServiceVerifier.name);
  readonly #cache: VerificationCache;
  readonly #throttle: FailureThrottle;
  #slowChecks = 0;

  constructor(
    private readonly options: ResolvedOptions,
    private readonly hasher: SecretHasher,
  ) {
    this.#cache = new VerificationCache(options.storage, options.verificationCacheMs);
    this.#throttle = new FailureThrottle(options.storage);
  }

  /**
   * The service that id and secret prove. Without an id, a generated secret names its service itself.
   * Throws {@link ServiceAuthenticationError}, the same for every cause.
   */
  async verify(serviceId: unknown, secret: unknown, { source }: VerifyServiceOptions = {}): Promise<ServiceCredential> {
    if (typeof secret !== 'string' || secret === '' || secret.length > INPUT_LIMITS.maxServiceSecretLength)
      throw refused();
    // Ill-formed texts would all become the same bytes.
    if (!secret.isWellFormed()) throw refused();
    const keyId = keyIdOf(secret);
    if (serviceId === undefined ? keyId === undefined : !isServiceId(serviceId)) throw refused();
    const id = serviceId as string | undefined;
    const proven = this.#cache.find(id, secret);
    if (proven) return proven;
    const subject = id ?? keyId!;
    const retryAfterMs = source === undefined ? undefined : this.#throttle.refusedForMs(subject, source);
    if (retryAfterMs !== undefined) throw new ServiceAuthenticationError(retryAfterMs);
    const keep = this.#cache.begin(id, secret);
    const { services } = this.options.storage;
    const record = await (id === undefined ? services.findByKeyId(keyId!) : services.find(id));
    const proof = await this.#prove(record, secret, keyId);
    if (!record || !proof) {
      if (source !== undefined) this.#throttle.failed(subject, source);
      throw refused();
    }
    const service = toServiceCredential(record);
    keep(service, proof);
    void this.#recordUse(record.serviceId, proof);
    return service;
  }

  /** Forgets what is proven: at once after a change by this process, before the feed tells of it. */
  forget(): void {
    this.#cache.clear();
  }

  close(): void {
    this.#cache.close();
  }

  /** The secret of the record that was presented. */
  async #prove(
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
      // As many comparisons for every service, registered or not: against nothing where there is no secret.
      const slots = Array.from({ length: MAX_SERVICE_SECRETS }, (_, index) => chosen[index]);
      const matches = await Promise.all(slots.map((stored) => this.hasher.matchesChosen(secret, stored?.hash)));
      return slots[matches.indexOf(true)];
    } finally {
      this.#slowChecks--;
    }
  }

  /** Not awaited by the verification, which is as good without it. */
  async #recordUse(serviceId: string, { keyId, lastUsedAt = -Infinity }: StoredServiceSecret): Promise<void> {
    const { storage } = this.options;
    if (storage.now() - lastUsedAt < USE_INTERVAL_MS) return;
    try {
      await storage.services.recordUse({ serviceId, keyId });
    } catch (error) {
      const name = error instanceof Error ? error.name : 'unknown';
      this.#logger.warn(`The use of a secret of '${serviceId}' was not recorded: ${name}`);
    }
  }
}

function refused(): ServiceAuthenticationError {
  return new ServiceAuthenticationError();
}
