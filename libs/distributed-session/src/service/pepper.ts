import { hkdfSync } from 'node:crypto';
import { NO_KEY } from '../model/key-list.js';

/** The HMAC key without a pepper. It is public, and only separates these digests from other uses of SHA-256. */
const PUBLIC_KEY = 'nestjs-distributed-session service secret';
const ID_BYTES = 6;

/** The key of the hashes of service secrets, and its id, which is stored with each hash. */
export class Pepper {
  /** Identifies the pepper among others, and does not reveal it; `none` if there is no pepper. */
  readonly id: string;
  readonly #value: string;

  constructor(value: string) {
    const info = 'nestjs-distributed-session service secrets: pepper id';
    this.#value = value;
    this.id =
      value === NO_KEY ? NO_KEY : Buffer.from(hkdfSync('sha256', value, '', info, ID_BYTES)).toString('base64url');
  }

  /** The key for HMAC. */
  get hmacKey(): string {
    return this.id === NO_KEY ? PUBLIC_KEY : this.#value;
  }

  /** The secret value for argon2. */
  get argon2(): { readonly secret?: Buffer } {
    return this.id === NO_KEY ? {} : { secret: Buffer.from(this.#value) };
  }
}
