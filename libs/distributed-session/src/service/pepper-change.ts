import { Logger } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { KeyUnavailableError } from '../errors/storage.errors.js';
import type { PepperedHash, StoredServiceSecret } from '../storage/service-credential-storage.js';
import type { SessionStorage } from '../storage/session-storage.js';
import type { SecretHasher } from './secret-hasher.js';
import { hashesOf } from './secret-hashes.js';
import { RESTART_MS } from './verification-cache.js';

/** The same service is reported, and the same secret renewed, at most once in this time. */
const REPEAT_MS = 60_000;
const MAX_ENTRIES = 1_000;
const MAX_NAMED = 10;

/**
 * Follows a change of the pepper: renews the stored hashes of secrets that are used, and reports secrets that are stored
 * under a pepper which this process does not have.
 */
export class PepperChange {
  readonly #logger = new Logger('DistributedSessionManager');
  /** When a service was last reported, and a secret last renewed. */
  readonly #reported = new LRUCache<string, number>({ max: MAX_ENTRIES });
  readonly #renewed = new LRUCache<string, number>({ max: MAX_ENTRIES });
  /** The first verification in this process. */
  #startedAt: number | undefined;

  constructor(
    private readonly storage: SessionStorage,
    private readonly hasher: SecretHasher,
  ) {}

  /** Logs the services with a secret that this process cannot verify. Does nothing if it may not read the services. */
  async check(): Promise<void> {
    const services = await this.storage.services.list().catch(() => []);
    const missing = services.filter(
      (service) => !service.unreadable && service.secrets.some((secret) => !this.hasher.isKnown(secret.hash)),
    );
    if (missing.length > 0) this.#logger.error(missingPepper(missing.map(({ serviceId }) => serviceId)));
    for (const { serviceId } of missing) this.#isTurn(this.#reported, serviceId);
  }

  /** Logs and returns the error for a secret whose pepper this process does not have; `undefined` if it has all. */
  missing(serviceId = '', secrets: readonly StoredServiceSecret[] = []): KeyUnavailableError | undefined {
    const unknown = secrets.find(({ hash }) => !this.hasher.isKnown(hash));
    if (unknown === undefined) return undefined;
    const error = new KeyUnavailableError(hashesOf(unknown.hash)[0]!.pepper!, missingPepper([serviceId]));
    if (this.#isTurn(this.#reported, serviceId)) this.#logger.error(error.message);
    return error;
  }

  /** Renews the stored hash of a secret that has matched it. Runs in the background, and changes no newer hash. */
  renew(serviceId: string, { keyId, hash }: StoredServiceSecret, secret: string, matched: PepperedHash): void {
    if (!this.#isTurn(this.#renewed, keyId)) return;
    void this.#renew(serviceId, keyId, hash, secret, matched).catch((error: unknown) => {
      const name = error instanceof Error ? error.name : 'unknown';
      this.#logger.warn(`Failed to renew the hash of a secret of '${serviceId}' under the first secretPepper: ${name}`);
    });
  }

  /** Returns whether the last time is long enough ago, and if so records this one. */
  #isTurn(times: LRUCache<string, number>, key: string): boolean {
    const now = this.storage.now();
    if (Math.abs(now - (times.get(key) ?? -Infinity)) < REPEAT_MS) return false;
    times.set(key, now);
    return true;
  }

  async #renew(
    serviceId: string,
    keyId: string,
    expected: StoredServiceSecret['hash'],
    secret: string,
    matched: PepperedHash,
  ): Promise<void> {
    this.#startedAt ??= this.storage.now();
    const mayRemove = this.storage.now() - this.#startedAt >= RESTART_MS;
    const hash = await this.hasher.renewed(secret, expected, matched, mayRemove);
    if (hash) await this.storage.services.renewHash({ serviceId, keyId, expected, hash });
  }
}

function missingPepper(serviceIds: readonly string[]): string {
  const named = serviceIds.slice(0, MAX_NAMED).map((id) => `'${id}'`);
  const more = serviceIds.length > MAX_NAMED ? ` and ${serviceIds.length - MAX_NAMED} more` : '';
  const [noun, verb] = serviceIds.length === 1 ? ['service', 'has'] : ['services', 'have'];
  return (
    `The ${noun} ${named.join(', ')}${more} ${verb} secrets that are stored under a pepper which this process does not ` +
    'have, so it cannot verify them. Add that pepper to secretPepper, or rotate the secrets.'
  );
}
