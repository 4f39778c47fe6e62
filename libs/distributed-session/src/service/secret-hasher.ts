import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { hash, verify } from '@node-rs/argon2';
import { StorageCorruptError } from '../errors/storage.errors.js';
import type { SecretHash } from '../storage/service-credential-storage.js';

/** The HMAC key without a pepper. It is public, and only separates these digests from other uses of SHA-256. */
const NO_PEPPER = 'nestjs-distributed-session service secret';
/** argon2id as the OWASP password storage cheat sheet recommends: 19 MiB, two passes, one lane. */
const ARGON2 = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

/** Hashes service secrets for storage, and compares secrets with stored hashes in constant time. */
export class SecretHasher {
  readonly #key: string;
  readonly #argon2Secret: { readonly secret?: Buffer };
  #decoy: Promise<string> | undefined;

  constructor(pepper?: string) {
    this.#key = pepper ?? NO_PEPPER;
    this.#argon2Secret = pepper === undefined ? {} : { secret: Buffer.from(pepper) };
  }

  /** Hashes a generated secret. Its 256 random bits cannot be guessed, so one HMAC is enough. */
  hashGenerated(secret: string): SecretHash {
    return { algorithm: 'hmac-sha256', digest: this.#digest(secret).toString('base64url') };
  }

  /** Hashes a caller-chosen secret. It may be guessable, so it gets a slow, memory-hard hash. */
  async hashChosen(secret: string): Promise<SecretHash> {
    return { algorithm: 'argon2id', encoded: await hash(secret, { ...ARGON2, ...this.#argon2Secret }) };
  }

  /** Compares a generated secret with a stored hash. Takes the same time without a hash to compare with. */
  matchesGenerated(secret: string, stored: SecretHash | undefined): boolean {
    const actual = this.#digest(secret);
    const known = stored?.algorithm === 'hmac-sha256' ? Buffer.from(stored.digest, 'base64url') : undefined;
    const isComparable = known?.length === actual.length;
    return timingSafeEqual(actual, isComparable ? known : Buffer.alloc(actual.length)) && isComparable;
  }

  /**
   * Compares a caller-chosen secret with a stored hash. Takes the same time without a hash to compare with.
   *
   * @throws {StorageCorruptError} when the stored hash cannot be parsed.
   */
  async matchesChosen(secret: string, stored: SecretHash | undefined): Promise<boolean> {
    if (stored?.algorithm === 'argon2id') return this.#verifyChosen(secret, stored.encoded);
    this.#decoy ??= hash(randomBytes(32), { ...ARGON2, ...this.#argon2Secret });
    await verify(await this.#decoy, secret, this.#argon2Secret);
    return false;
  }

  async #verifyChosen(secret: string, encoded: string): Promise<boolean> {
    try {
      return await verify(encoded, secret, this.#argon2Secret);
    } catch {
      throw new StorageCorruptError(
        'The stored hash of a service secret is corrupt. Rotate the secret of the service.',
      );
    }
  }

  #digest(secret: string): Buffer {
    return createHmac('sha256', this.#key).update(secret).digest();
  }
}
