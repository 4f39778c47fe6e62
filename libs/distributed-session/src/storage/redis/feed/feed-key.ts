import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** The key consists of two halves of 128 random bits each, in hexadecimal digits. */
export const HALF_KEY_LENGTH = 32;
const FEED_KEY = /^[0-9a-f]{64}$/;
/** The authentication code at the end of a message: SHA-1 in hexadecimal digits. */
const CODE_LENGTH = 40;

/**
 * The key that authenticates the messages of the change feed: only a process that may read the store's `meta` key has it.
 * A user with rights on the channel alone can neither forge nor change a message.
 *
 * The code is SHA-1(second half, SHA-1(first half, message)), with the inner digest in hexadecimal digits: HMAC without
 * its padding. Scripts compute it, and Lua in Redis offers no other hash. The known attacks on SHA-1 find collisions for
 * a known prefix; they do not forge a code under a secret key.
 */
export class FeedKey {
  #value = randomBytes(2 * (HALF_KEY_LENGTH / 2)).toString('hex');

  /** The key as it is stored. Random until the store's key is adopted. */
  get value(): string {
    return this.#value;
  }

  static isValid(stored: string): boolean {
    return FEED_KEY.test(stored);
  }

  /** Uses the store's key from now on. Returns whether it is another one. */
  adopt(stored: string): boolean {
    const isOther = stored !== this.#value;
    this.#value = stored;
    return isOther;
  }

  /** Appends the code. */
  seal(message: Buffer): Buffer {
    return Buffer.concat([message, this.#codeOf(message)]);
  }

  /** Returns the message without its code, or `undefined` if the code is not that of this key. */
  open(sealed: Buffer): Buffer | undefined {
    if (sealed.length <= CODE_LENGTH) return undefined;
    const message = sealed.subarray(0, -CODE_LENGTH);
    return timingSafeEqual(this.#codeOf(message), sealed.subarray(-CODE_LENGTH)) ? message : undefined;
  }

  #codeOf(message: Buffer): Buffer {
    const inner = sha1(this.#value.slice(0, HALF_KEY_LENGTH), message);
    return Buffer.from(sha1(this.#value.slice(HALF_KEY_LENGTH), inner), 'latin1');
  }
}

function sha1(key: string, content: Buffer | string): string {
  return createHash('sha1').update(key).update(content).digest('hex');
}
