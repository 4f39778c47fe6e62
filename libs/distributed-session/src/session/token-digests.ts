import { hash, timingSafeEqual } from 'node:crypto';
import { KeyUnavailableError, StorageCorruptError } from '../errors/storage.errors.js';
import { Secret } from '../model/secret.js';
import { TokenKey } from './token-key.js';

/** Separates these digests from all other uses of SHA-256. */
const LABEL = 'nestjs-distributed-session session token';
/** In place of the key's id, in a digest that anyone can calculate from the token. */
const NO_KEY = 'unkeyed';
/** The key's id and the digest. Earlier builds stored the SHA-256 of the token alone. */
const STORED = /^(?:([\w-]{8}|unkeyed)\.)?([\w-]{43})$/;

/** The secrets from which the keys are derived. */
export interface TokenKeyOptions {
  readonly tokenKey?: Secret | string;
  readonly acceptedTokenKeys?: readonly (Secret | string)[];
  readonly secretPepper?: Secret | string;
}

/**
 * Calculates and compares the digests that are stored in place of session tokens. A digest is the SHA-256 of the session
 * id and the token's SHA-256, and with a key the HMAC of that under the key. So a digest without a key is brought under
 * the key at the next write, although the token is not known then.
 */
export class TokenDigests {
  readonly #primary: TokenKey | undefined;
  readonly #keys = new Map<string, TokenKey>();

  constructor({ tokenKey, acceptedTokenKeys = [], secretPepper }: TokenKeyOptions) {
    const primary = tokenKey ?? secretPepper;
    for (const secret of [primary, secretPepper, ...acceptedTokenKeys]) {
      if (secret === undefined) continue;
      const key = new TokenKey(Secret.revealed(secret));
      this.#keys.set(key.id, key);
    }
    if (primary !== undefined) this.#primary = this.#keys.values().next().value;
  }

  /** Returns the digest to store for a new token. */
  digest(sessionId: string, token: string): string {
    return protect(boundTo(sessionId, hash('sha256', token, 'base64url')), this.#primary);
  }

  /** Returns the digest to store from the next write on. One under another key stays until the session is rotated. */
  renewed(sessionId: string, stored: string): string {
    const { keyId, digest } = parse(sessionId, stored);
    if (keyId === undefined) return protect(boundTo(sessionId, digest), this.#primary);
    return keyId === NO_KEY ? protect(digest, this.#primary) : stored;
  }

  /** Returns whether this process has the key of a stored digest. */
  isKnown(sessionId: string, stored: string): boolean {
    const { keyId = NO_KEY } = parse(sessionId, stored);
    return keyId === NO_KEY || this.#keys.has(keyId);
  }

  /**
   * Returns whether a token has the stored digest, in constant time, and in the same time without a digest.
   *
   * @throws {KeyUnavailableError} when this process does not have the key of the digest.
   * @throws {StorageCorruptError} when the digest was not calculated by this library.
   */
  matches(sessionId: string, token: string, stored: string | undefined): boolean {
    const expected = stored === undefined ? undefined : this.renewed(sessionId, stored);
    const actual = protect(boundTo(sessionId, hash('sha256', token, 'base64url')), this.#keyOf(expected));
    return timingSafeEqual(Buffer.from(actual), Buffer.from(expected ?? actual)) && expected !== undefined;
  }

  #keyOf(digest: string | undefined): TokenKey | undefined {
    const keyId = digest?.slice(0, digest.indexOf('.')) ?? this.#primary?.id ?? NO_KEY;
    const key = this.#keys.get(keyId);
    if (key || keyId === NO_KEY) return key;
    throw new KeyUnavailableError(
      keyId,
      `The token of a session was stored under the key '${keyId}', which this process does not have. Set the same tokenKey ` +
        '(without one: the same secretPepper) in every process, and add a previous or future one to acceptedTokenKeys.',
    );
  }
}

function boundTo(sessionId: string, tokenDigest: string): string {
  return hash('sha256', `${LABEL} ${sessionId} ${tokenDigest}`, 'base64url');
}

function protect(digest: string, key: TokenKey | undefined): string {
  return key ? `${key.id}.${key.mac(digest)}` : `${NO_KEY}.${digest}`;
}

function parse(sessionId: string, stored: string): { readonly keyId?: string; readonly digest: string } {
  const [, keyId, digest] = STORED.exec(stored) ?? [];
  if (digest === undefined) {
    throw new StorageCorruptError(`The stored session ${sessionId} is corrupt: its token digest cannot be read.`);
  }
  return { keyId, digest };
}
