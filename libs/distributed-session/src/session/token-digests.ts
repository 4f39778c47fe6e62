import { hash, timingSafeEqual } from 'node:crypto';
import { KeyUnavailableError, StorageCorruptError } from '../errors/storage.errors.js';
import { MAX_KEYS, NO_KEY } from '../model/key-list.js';
import type { Secret } from '../model/secret.js';
import { TokenKey } from './token-key.js';

/** Separates these digests from all other uses of SHA-256. */
const LABEL = 'nestjs-distributed-session session token';
/** In place of the key's id, in a digest that anyone can calculate from the token. */
const UNKEYED = 'unkeyed';
const KEYED_DIGEST = '(?:[\\w-]{8}|unkeyed)\\.[\\w-]{43}';
const STORED = new RegExp(`^${KEYED_DIGEST}(?:,${KEYED_DIGEST}){0,${MAX_KEYS}}$`);
/** Earlier builds stored the SHA-256 of the token alone. */
const EARLIER = /^[\w-]{43}$/;

/** The secrets from which the keys are derived. */
export interface TokenKeyOptions {
  readonly tokenKey?: readonly Secret[];
  readonly secretPepper?: readonly Secret[];
}

/**
 * Calculates and compares the digests that are stored in place of session tokens. A digest is the SHA-256 of the session
 * id and the token's SHA-256, and with a key the HMAC of that under the key. So a digest without a key is brought under
 * the key at the next write, although the token is not known then. While the key is changed, one is stored under each
 * key, so that every process that has one of them can compare it.
 */
export class TokenDigests {
  /** The ids of the keys that digests are stored under. */
  readonly #ids: readonly [string, ...string[]];
  readonly #keys = new Map<string, TokenKey>();

  constructor({ tokenKey, secretPepper = [] }: TokenKeyOptions) {
    const [first = UNKEYED, ...others] = (tokenKey ?? secretPepper).map((secret) => this.#add(secret));
    this.#ids = [first, ...others];
    for (const secret of secretPepper) this.#add(secret);
  }

  /** Returns the digest to store for a new token. */
  digest(sessionId: string, token: string): string {
    return this.#underEachKey(boundTo(sessionId, hash('sha256', token, 'base64url')));
  }

  /** Returns the digest to store from the next write on. One under another key stays until the session is rotated. */
  renewed(sessionId: string, stored: string): string {
    const digests = parse(sessionId, stored);
    const unkeyed = digests.find(([id]) => id === UNKEYED)?.[1];
    const isMissing = (keyId: string) => digests.every(([id]) => id !== keyId);
    if (unkeyed !== undefined && this.#ids.some(isMissing)) return this.#underEachKey(unkeyed);
    // Under the first key as the newest one, the others were needed by processes that have stopped.
    const isNewest = digests[0][0] === this.#ids[0];
    const kept = isNewest ? digests.filter(([id]) => this.#ids.includes(id)) : digests;
    return kept.map(([id, digest]) => `${id}.${digest}`).join(',');
  }

  /** Returns whether this process has a key of a stored digest. */
  isKnown(sessionId: string, stored: string): boolean {
    return this.#known(parse(sessionId, stored)) !== undefined;
  }

  /**
   * Returns whether a token has the stored digest, in constant time, and in the same time without a digest.
   *
   * @throws {KeyUnavailableError} when this process does not have the key of the digest.
   * @throws {StorageCorruptError} when the digest was not calculated by this library.
   */
  matches(sessionId: string, token: string, stored: string | undefined): boolean {
    const bound = boundTo(sessionId, hash('sha256', token, 'base64url'));
    if (stored === undefined) {
      const actual = Buffer.from(this.#under(this.#ids[0], bound));
      timingSafeEqual(actual, actual);
      return false;
    }
    const digests = parse(sessionId, stored);
    const known = this.#known(digests);
    if (known === undefined) throw keyUnavailable(digests[0][0]);
    const [id, expected] = known;
    return timingSafeEqual(Buffer.from(this.#under(id, bound)), Buffer.from(expected));
  }

  #add(secret: Secret): string {
    const value = secret.reveal();
    if (value === NO_KEY) return UNKEYED;
    const key = new TokenKey(value);
    this.#keys.set(key.id, key);
    return key.id;
  }

  /** Returns a stored digest that this process can compare, and the id of its key. */
  #known(digests: readonly KeyedDigest[]): KeyedDigest | undefined {
    return digests.find(([id]) => id === UNKEYED || this.#keys.has(id));
  }

  #under(id: string, bound: string): string {
    return this.#keys.get(id)?.mac(bound) ?? bound;
  }

  #underEachKey(bound: string): string {
    return this.#ids.map((id) => `${id}.${this.#under(id, bound)}`).join(',');
  }
}

function keyUnavailable(keyId: string): KeyUnavailableError {
  return new KeyUnavailableError(
    keyId,
    `The token of a session was stored under the key '${keyId}', which this process does not have. Set the same tokenKey ` +
      '(without one: the same secretPepper) in every process, and keep a previous key as a further entry.',
  );
}

function boundTo(sessionId: string, tokenDigest: string): string {
  return hash('sha256', `${LABEL} ${sessionId} ${tokenDigest}`, 'base64url');
}

/** The id of a key, and the digest under it. */
type KeyedDigest = readonly [keyId: string, digest: string];

/** Returns the stored digests, the newest first. */
function parse(sessionId: string, stored: string): readonly [KeyedDigest, ...KeyedDigest[]] {
  if (STORED.test(stored)) {
    if (!stored.includes(',')) return [keyedDigest(stored)];
    return stored.split(',').map(keyedDigest) as [KeyedDigest, ...KeyedDigest[]];
  }
  if (EARLIER.test(stored)) return [[UNKEYED, boundTo(sessionId, stored)]];
  throw new StorageCorruptError(`The stored session ${sessionId} is corrupt: its token digest cannot be read.`);
}

function keyedDigest(text: string): KeyedDigest {
  const at = text.indexOf('.');
  return [text.slice(0, at), text.slice(at + 1)];
}
