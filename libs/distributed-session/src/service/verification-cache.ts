import { createHmac, randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { SessionStorage } from '../storage/session-storage.js';
import type { StoredServiceSecret } from '../storage/service-credential-storage.js';
import type { ServiceCredential } from './service-credential.js';

/** A feed that has been silent for longer cannot be trusted to have told of a revocation. */
const MAX_FEED_LAG_MS = 5_000;
const MAX_ENTRIES = 1_000;

interface Proven {
  readonly service: ServiceCredential;
  readonly provenAt: number;
  readonly endsAt: number;
}

/**
 * Which secrets this process has seen proven lately. It keeps no secret, only a keyed digest of one; a change of the
 * service, told by the feed, empties what is known of it, and nothing is served while the feed is behind.
 */
export class VerificationCache {
  readonly #key = randomBytes(32);
  readonly #proven = new LRUCache<string, Proven>({ max: MAX_ENTRIES });
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

  find(serviceId: string | undefined, secret: string): ServiceCredential | undefined {
    const proven = this.#proven.get(this.#keyOf(serviceId, secret));
    if (!proven || this.storage.feedLagMs() > MAX_FEED_LAG_MS) return undefined;
    const now = this.storage.now();
    return now < proven.provenAt + this.maxAgeMs && now < proven.endsAt ? proven.service : undefined;
  }

  /** Begins a verification; what it returns keeps the result, unless a change arrived in between. */
  begin(
    serviceId: string | undefined,
    secret: string,
  ): (service: ServiceCredential, proof: StoredServiceSecret) => void {
    const generation = this.#generation;
    return (service, { endsAt = Infinity }) => {
      if (generation !== this.#generation || this.#isClosed) return;
      this.#proven.set(this.#keyOf(serviceId, secret), { service, provenAt: this.storage.now(), endsAt });
    };
  }

  /** Forgets everything. Services change rarely, so which one changed does not matter. */
  clear(): void {
    this.#generation++;
    this.#proven.clear();
  }

  /** Forgets everything and keeps nothing more: it hears of no change from now on. */
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
