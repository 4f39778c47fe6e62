import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { StorageCorruptError } from '../errors/storage.errors.js';
import type { SecretHash } from '../storage/service-credential-storage.js';
import { type Argon2, loadArgon2 } from './argon2.js';

/** The HMAC key without a pepper. It is public, and only separates these digests from other uses of SHA-256. */
const NO_PEPPER = 'nestjs-distributed-session service secret';
/** argon2id as the OWASP password storage cheat sheet recommends: 19 MiB, two passes, one lane. */
const ARGON2 = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

/** Hashes service secrets for storage, and compares secrets with stored hashes in constant time. */
export class SecretHasher {
  readonly #key: string;
  readonly #argon2Secret: { readonly secret?: Buffer };
  #decoy: Promise<string> | undefined;

  constructor(
    pepper?: string,
    private readonly load: () => Promise<Argon2> = loadArgon2,
  ) {
    this.#key = pepper ?? NO_PEPPER;
    this.#argon2Secret = pepper === undefined ? {} : { secret: Buffer.from(pepper) };
  }

  /** Hashes a generated secret. Its 256 random bits cannot be guessed, so one HMAC is enough. */
  hashGenerated(secret: string): SecretHash {
    return { algorithm: 'hmac-sha256', digest: this.#digest(secret).toString('base64url') };
  }

  /**
   * Hashes a caller-chosen secret. It may be guessable, so it gets a slow, memory-hard hash.
   *
   * @throws {PackageUnavailableError} when argon2 is not installed for this platform.
   */
  async hashChosen(secret: string): Promise<SecretHash> {
    const { hash } = await this.load();
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
   * @throws {PackageUnavailableError} when there is a hash, and argon2 is not installed for this platform.
   */
  async matchesChosen(secret: string, stored: SecretHash | undefined): Promise<boolean> {
    if (stored?.algorithm === 'argon2id') return this.#verifyChosen(await this.load(), secret, stored.encoded);
    // Without argon2 no chosen secret can be right, so there is no time to imitate.
    const argon2 = await this.load().catch(() => undefined);
    if (argon2) await argon2.verify(await this.#decoyOf(argon2), secret, this.#argon2Secret);
    return false;
  }

  async #verifyChosen({ verify }: Argon2, secret: string, encoded: string): Promise<boolean> {
    try {
      return await verify(encoded, secret, this.#argon2Secret);
    } catch {
      throw new StorageCorruptError(
        'The stored hash of a service secret is corrupt. Rotate the secret of the service.',
      );
    }
  }

  #decoyOf({ hash }: Argon2): Promise<string> {
    return (this.#decoy ??= hash(randomBytes(32), { ...ARGON2, ...this.#argon2Secret }));
  }

  #digest(secret: string): Buffer {
    return createHmac('sha256', this.#key).update(secret).digest();
  }
}
