import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { StorageCorruptError } from '../errors/storage.errors.js';
import { NO_KEY } from '../model/key-list.js';
import type { PepperedHash, SecretHash } from '../storage/service-credential-storage.js';
import { type Argon2, loadArgon2 } from './argon2.js';
import { Pepper } from './pepper.js';
import { hashesOf, joinHashes } from './secret-hashes.js';

/** argon2id as the OWASP password storage cheat sheet recommends: 19 MiB, two passes, one lane. */
const ARGON2 = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

/**
 * Hashes service secrets for storage, and compares secrets with stored hashes in constant time. A secret is hashed under
 * every pepper, so that each process that has one of them can verify it. A hash without a pepper is always accepted.
 */
export class SecretHasher {
  readonly #peppers: readonly [Pepper, ...Pepper[]];
  readonly #known: ReadonlyMap<string, Pepper>;
  #decoy: Promise<string> | undefined;

  /** @param peppers - The first one is to stay. */
  constructor(
    peppers: readonly string[] = [],
    private readonly load: () => Promise<Argon2> = loadArgon2,
  ) {
    const [first = NO_KEY, ...others] = peppers;
    this.#peppers = [new Pepper(first), ...others.map((value) => new Pepper(value))];
    this.#known = new Map([...this.#peppers, new Pepper(NO_KEY)].map((pepper) => [pepper.id, pepper]));
  }

  /** Hashes a generated secret. Its 256 random bits cannot be guessed, so one HMAC is enough. */
  hashGenerated(secret: string): SecretHash {
    return joinHashes(this.#peppers.map((pepper) => hmacHash(secret, pepper)));
  }

  /**
   * Hashes a caller-chosen secret. It may be guessable, so it gets a slow, memory-hard hash.
   *
   * @throws {PackageUnavailableError} when argon2 is not installed for this platform.
   */
  async hashChosen(secret: string): Promise<SecretHash> {
    const argon2 = await this.load();
    return joinHashes(await Promise.all(this.#peppers.map((pepper) => argon2Hash(argon2, secret, pepper))));
  }

  /** Returns whether this process has a pepper of a stored hash. */
  isKnown(stored: SecretHash): boolean {
    return hashesOf(stored).some(({ pepper }) => pepper === undefined || this.#known.has(pepper));
  }

  /**
   * Returns the stored hash that a generated secret matches, with its pepper's id. Takes the same time without a hash to
   * compare with.
   */
  matchGenerated(secret: string, stored: SecretHash | undefined): PepperedHash | undefined {
    const known = stored && this.#knownHash(stored, 'hmac-sha256');
    const digest = known?.algorithm === 'hmac-sha256' ? Buffer.from(known.digest, 'base64url') : undefined;
    if (known?.pepper === undefined) return this.#matchOfEarlierBuild(secret, known, digest);
    return isEqual(digestOf(secret, this.#known.get(known.pepper)!), digest) ? known : undefined;
  }

  /**
   * Returns the stored hash that a caller-chosen secret matches, with its pepper's id. Takes the same time without a hash
   * to compare with.
   *
   * @throws {StorageCorruptError} when the stored hash cannot be parsed.
   * @throws {PackageUnavailableError} when there is a hash, and argon2 is not installed for this platform.
   */
  async matchChosen(secret: string, stored: SecretHash | undefined): Promise<PepperedHash | undefined> {
    const known = stored && this.#knownHash(stored, 'argon2id');
    if (known?.algorithm !== 'argon2id') {
      // Without argon2 no chosen secret can be right, so there is no time to imitate.
      const argon2 = await this.load().catch(() => undefined);
      if (argon2) await argon2.verify(await this.#decoyOf(argon2), secret, this.#peppers[0].argon2);
      return undefined;
    }
    const argon2 = await this.load();
    for (const pepper of this.#peppersOf(known)) {
      if (await verifyChosen(argon2, secret, known.encoded, pepper)) return { ...known, pepper: pepper.id };
    }
    return undefined;
  }

  /**
   * Returns the hash to store in place of one that a secret matches, or `undefined` if it can stay. It adds one under the
   * first pepper, and removes those under peppers that are no longer listed only from a hash under the first: a hash that
   * a newer process has written stays as it is.
   *
   * @param mayRemove - Whether no process is left that needs a pepper that this one does not list.
   */
  async renewed(
    secret: string,
    stored: SecretHash,
    matched: PepperedHash,
    mayRemove: boolean,
  ): Promise<SecretHash | undefined> {
    const [first] = this.#peppers;
    const labelled = hashesOf(stored).map((each) => (each.pepper === undefined ? matched : each));
    if (!labelled.some(({ pepper }) => pepper === first.id)) {
      const isChosen = stored.algorithm === 'argon2id';
      const added = isChosen ? await argon2Hash(await this.load(), secret, first) : hmacHash(secret, first);
      return joinHashes([added, ...labelled]);
    }
    if (labelled[0]!.pepper !== first.id) return stored.pepper === undefined ? joinHashes(labelled) : undefined;
    const kept = mayRemove ? labelled.filter(({ pepper }) => this.#lists(pepper)) : labelled;
    return kept.length < labelled.length || stored.pepper === undefined ? joinHashes(kept) : undefined;
  }

  #decoyOf({ hash }: Argon2): Promise<string> {
    return (this.#decoy ??= hash(randomBytes(32), { ...ARGON2, ...this.#peppers[0].argon2 }));
  }

  #lists(pepperId: string | undefined): boolean {
    return this.#peppers.some(({ id }) => id === pepperId);
  }

  /** Returns the first stored hash under a pepper of this process, or one that does not name its pepper. */
  #knownHash(stored: SecretHash, algorithm: SecretHash['algorithm']): PepperedHash | undefined {
    const isKnown = (each: PepperedHash) =>
      each.algorithm === algorithm && (each.pepper === undefined || this.#known.has(each.pepper));
    return isKnown(stored) ? stored : stored.also?.find(isKnown);
  }

  /** The peppers to compare a hash under: one, but all for a hash of an earlier build, which does not name it. */
  #peppersOf({ pepper }: PepperedHash): Iterable<Pepper> {
    return pepper === undefined ? this.#known.values() : [this.#known.get(pepper)!];
  }

  /**
   * Compares a hash that does not name its pepper under every one. Without a hash, compares once with nothing, as long as
   * the comparison with a hash that names its pepper takes.
   */
  #matchOfEarlierBuild(
    secret: string,
    known: PepperedHash | undefined,
    digest: Buffer | undefined,
  ): PepperedHash | undefined {
    const peppers = known ? [...this.#known.values()] : [this.#peppers[0]];
    const matching = peppers.filter((pepper) => isEqual(digestOf(secret, pepper), digest));
    return known && matching[0] && { ...known, pepper: matching[0].id };
  }
}

function digestOf(secret: string, { hmacKey }: Pepper): Buffer {
  return createHmac('sha256', hmacKey).update(secret).digest();
}

function isEqual(actual: Buffer, known: Buffer | undefined): boolean {
  const isComparable = known?.length === actual.length;
  return timingSafeEqual(actual, isComparable ? known : Buffer.alloc(actual.length)) && isComparable;
}

function hmacHash(secret: string, pepper: Pepper): PepperedHash {
  return { algorithm: 'hmac-sha256', digest: digestOf(secret, pepper).toString('base64url'), pepper: pepper.id };
}

async function argon2Hash({ hash }: Argon2, secret: string, pepper: Pepper): Promise<PepperedHash> {
  return { algorithm: 'argon2id', encoded: await hash(secret, { ...ARGON2, ...pepper.argon2 }), pepper: pepper.id };
}

async function verifyChosen({ verify }: Argon2, secret: string, encoded: string, pepper: Pepper): Promise<boolean> {
  try {
    return await verify(encoded, secret, pepper.argon2);
  } catch {
    throw new StorageCorruptError('The stored hash of a service secret is corrupt. Rotate the secret of the service.');
  }
}
