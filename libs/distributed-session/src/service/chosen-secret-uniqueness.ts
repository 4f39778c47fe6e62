import { createHmac, randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { ServiceInputError } from '../errors/service.errors.js';
import type { ServiceCredentialStorage } from '../storage/service-credential-storage.js';
import type { SecretHasher } from './secret-hasher.js';

const MAX_DIGESTS = 2_000;

/**
 * Rejects a chosen secret that another service has: services that share a secret share an identity (ASVS 13.2.1).
 * Salted hashes must be compared one by one, which takes about 20 ms each. Those that this process has stored are compared
 * by a digest under a key of its own, which takes no time and leaves no trace that would make guessing cheaper.
 */
export class ChosenSecretUniqueness {
  readonly #digestKey = randomBytes(32);
  /** The digests of chosen secrets by their key ids. */
  readonly #digests = new LRUCache<string, string>({ max: MAX_DIGESTS });

  constructor(
    private readonly services: ServiceCredentialStorage,
    private readonly hasher: SecretHasher,
  ) {}

  /**
   * @param except - The id of a service that may have the secret.
   * @throws {ServiceInputError} when another service has it.
   */
  async assertUnused(secret: string, except: string | undefined): Promise<void> {
    const digest = this.#digestOf(secret);
    for (const service of await this.services.list()) {
      // A secret that cannot be read cannot be compared.
      if (service.serviceId === except || service.unreadable) continue;
      for (const { keyId, hash } of service.secrets) {
        if (hash.algorithm !== 'argon2id') continue;
        const known = this.#digests.get(keyId);
        const isSame = known === undefined ? await this.hasher.matchChosen(secret, hash) : known === digest;
        if (isSame) {
          throw new ServiceInputError('secretKey', 'is already in use. Choose a different secret for each service.');
        }
      }
    }
  }

  /** Records which secret was stored under a key id. */
  remember(keyId: string, secret: string): void {
    this.#digests.set(keyId, this.#digestOf(secret));
  }

  #digestOf(secret: string): string {
    return createHmac('sha256', this.#digestKey).update(secret).digest('base64url');
  }
}
