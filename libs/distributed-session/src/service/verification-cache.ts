import { createHmac, randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type {
  PepperedHash,
  ServiceCredentialRecord,
  StoredServiceSecret,
} from '../storage/service-credential-storage.js';
import type { SessionStorage } from '../storage/session-storage.js';
import { containsHash } from './secret-hashes.js';
import { type VerifiedService, toVerifiedService } from './service-credential.js';

/** If the feed lags further behind, a revocation may not have arrived yet. */
const MAX_FEED_LAG_MS = 5_000;
const MAX_ENTRIES = 1_000;
/** Longer than a rolling restart: processes with an earlier configuration have stopped by then. */
export const RESTART_MS = 3_600_000;

interface Verification {
  readonly service: VerifiedService;
  readonly stored: StoredServiceSecret;
  /** The stored hash that the secret matched. */
  readonly hash: PepperedHash;
  /** When {@link VerificationCache} reported it as lasting, or was given it. */
  reportedAt: number;
  readonly readAt: number;
  readonly generation: number;
}

/**
 * Remembers successful verifications. It holds a keyed digest of each secret, never the secret. Until its maximum age, an
 * entry authenticates on its own. A service change on the feed ends that, and so does a feed that lags behind. From then
 * on, an entry needs the service to be read again, but no secret to be hashed: a secret that matched a hash matches it
 * as long as it is stored.
 */
export class VerificationCache {
  readonly #key = randomBytes(32);
  readonly #verifications = new LRUCache<string, Verification>({ max: MAX_ENTRIES });
  readonly #renewing = new Set<string>();
  readonly #unsubscribe: () => void;
  #generation = 0;
  #isClosed = false;

  constructor(
    private readonly storage: SessionStorage,
    private readonly maxAgeMs: number,
    /** Called when a verification is read from the storage, because its secret is used. */
    private readonly onUse: (serviceId: string, secret: StoredServiceSecret) => void,
    /** Called once an hour for a secret that is in use without being hashed, with the hash that it matches. */
    private readonly onLasting: (
      serviceId: string,
      stored: StoredServiceSecret,
      secret: string,
      hash: PepperedHash,
    ) => void = () => {},
  ) {
    this.#unsubscribe = storage.changes((change) => {
      if (change.type === 'service.changed' || change.type === 'feed.gap') this.expire();
    });
  }

  /** Returns the name of an id and a secret in this cache. */
  keyOf(serviceId: string | undefined, secret: string): string {
    return createHmac('sha256', this.#key)
      .update(`${serviceId ?? ''}:${secret}`)
      .digest('base64url');
  }

  /**
   * Returns the service that was authenticated, or `undefined` if the storage must be read. From half of its maximum age
   * on, an entry that is used renews itself in the background.
   */
  find(key: string, secret: string): VerifiedService | undefined {
    const cached = this.#verifications.get(key);
    if (cached?.generation !== this.#generation || this.storage.feedLagMs() > MAX_FEED_LAG_MS) return undefined;
    const now = this.storage.now();
    const age = now - cached.readAt;
    // The age is negative after the clock was set back.
    if (age < 0 || age >= this.maxAgeMs || now >= (cached.service.secretEndsAt ?? Infinity)) return undefined;
    if (age >= this.maxAgeMs / 2) void this.#renew(key);
    if (now - cached.reportedAt >= RESTART_MS) this.#report(cached, secret, now);
    return cached.service;
  }

  /** Reads the service of an entry, and returns it if it still has the secret; otherwise, removes the entry. */
  async reread(key: string, presented?: string): Promise<VerifiedService | undefined> {
    const cached = this.#verifications.get(key);
    if (!cached) return undefined;
    const { serviceId, keyId } = cached.service;
    const keep = this.begin(key, cached.reportedAt);
    const record = await this.storage.services.find(serviceId);
    const secret = record?.secrets.find((stored) => stored.keyId === keyId);
    if (record && secret && containsHash(secret.hash, cached.hash)) {
      const service = keep(record, secret, cached.hash);
      const now = this.storage.now();
      const kept = this.#verifications.get(key);
      if (kept && presented !== undefined && now - kept.reportedAt >= RESTART_MS) this.#report(kept, presented, now);
      return service;
    }
    this.#verifications.delete(key);
    return undefined;
  }

  /**
   * Begins a verification, before the service is read. The returned function remembers its result, which does not
   * authenticate on its own if a service has changed in the meantime.
   */
  begin(
    key: string,
    reportedAt = this.storage.now(),
  ): (record: ServiceCredentialRecord, secret: StoredServiceSecret, matched: PepperedHash) => VerifiedService {
    const generation = this.#generation;
    const readAt = this.storage.now();
    return (record, secret, hash) => {
      const service = toVerifiedService(record, secret);
      const verification = { service, stored: secret, hash, reportedAt, readAt, generation };
      if (!this.#isClosed) this.#verifications.set(key, verification);
      this.onUse(record.serviceId, secret);
      return service;
    };
  }

  /** Makes every entry read its service again. Services change rarely, so it is not worth to find those concerned. */
  expire(): void {
    this.#generation++;
  }

  /** Removes all entries and accepts no more, because changes no longer arrive. */
  close(): void {
    this.#isClosed = true;
    this.#unsubscribe();
    this.#verifications.clear();
  }

  #report(cached: Verification, secret: string, now: number): void {
    cached.reportedAt = now;
    this.onLasting(cached.service.serviceId, cached.stored, secret, cached.hash);
  }

  /** If the storage does not answer, the entry ends at its maximum age. */
  async #renew(key: string): Promise<void> {
    if (this.#renewing.has(key)) return;
    this.#renewing.add(key);
    await this.reread(key).catch(() => undefined);
    this.#renewing.delete(key);
  }
}
