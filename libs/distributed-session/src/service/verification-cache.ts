import { createHmac, randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { SessionStorage } from '../storage/session-storage.js';
import type { VerifiedService } from './service-credential.js';

/** If the feed lags further behind, a revocation may not have arrived yet. */
const MAX_FEED_LAG_MS = 5_000;
const MAX_ENTRIES = 1_000;

interface Verification {
  readonly service: VerifiedService;
  readonly verifiedAt: number;
}

/**
 * Caches recent successful verifications. It holds a keyed digest of each secret, never the secret. A service change
 * on the feed clears it, and it serves nothing while the feed lags behind.
 */
export class VerificationCache {
  readonly #key = randomBytes(32);
  readonly #verifications = new LRUCache<string, Verification>({ max: MAX_ENTRIES });
  readonly #unsubscribe: () => void;
  #generation = 0;
  #isClosed = false;

  constructor(
    private readonly storage: SessionStorage,
    private readonly maxAgeMs: number,
  ) {
    this.#unsubscribe = storage.changes((change) => {
      if (change.type === 'service.changed' || change.type === 'feed.gap') this.clear();
    });
  }

  /** Returns the service that this id and secret authenticated, or `undefined` if the storage must be read. */
  find(serviceId: string | undefined, secret: string): VerifiedService | undefined {
    const cached = this.#verifications.get(this.#keyOf(serviceId, secret));
    if (!cached || this.storage.feedLagMs() > MAX_FEED_LAG_MS) return undefined;
    const { service, verifiedAt } = cached;
    const now = this.storage.now();
    return now < verifiedAt + this.maxAgeMs && now < (service.secretEndsAt ?? Infinity) ? service : undefined;
  }

  /** Begins a verification. The returned function caches its result, unless a service has changed in the meantime. */
  begin(serviceId: string | undefined, secret: string): (service: VerifiedService) => void {
    const generation = this.#generation;
    return (service) => {
      if (generation !== this.#generation || this.#isClosed) return;
      this.#verifications.set(this.#keyOf(serviceId, secret), { service, verifiedAt: this.storage.now() });
    };
  }

  /** Removes all entries. Services change so rarely that removing only those of one service is not worth it. */
  clear(): void {
    this.#generation++;
    this.#verifications.clear();
  }

  /** Removes all entries and accepts no more, because changes no longer arrive. */
  close(): void {
    this.#isClosed = true;
    this.#unsubscribe();
    this.clear();
  }

  #keyOf(serviceId: string | undefined, secret: string): string {
    return createHmac('sha256', this.#key)
      .update(`${serviceId ?? ''}:${secret}`)
      .digest('base64url');
  }
}
