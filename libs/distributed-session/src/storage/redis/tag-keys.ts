import { createHmac } from 'node:crypto';
import { NO_KEY } from '../../model/key-list.js';

export type TagKeyText = string | Uint8Array;

/** A key of the tags of users. */
export class TagKey {
  /** Identifies the key in the store without revealing it. */
  readonly fingerprint: string;
  readonly #key: TagKeyText;

  constructor(key: TagKeyText) {
    // The caller may wipe its bytes.
    this.#key = typeof key === 'string' ? key : Uint8Array.from(key);
    this.fingerprint = createHmac('sha256', key).update('fingerprint of the tag key').digest('hex').slice(0, 16);
  }

  /** Returns the first 60 bits of HMAC-SHA-256(key, login id), as 15 hexadecimal digits. */
  tagOf(loginId: string): string {
    return createHmac('sha256', this.#key).update(loginId).digest('hex').slice(0, 15);
  }
}

/** Which key of the tags a store uses. */
export interface StoredTagKeys {
  /** The fingerprint of the key under which sessions are created. */
  readonly current: string;
  /** The fingerprints of earlier keys, under which sessions may still be live; the last one first. */
  readonly earlier: readonly string[];
  /** When the current key is used from, in milliseconds of the server's clock. Until then, the last earlier one is. */
  readonly switchAt: number;
}

/**
 * The keys of the tags. While the key is changed, there are several: sessions are created under the one that the store
 * uses, and a user's sessions are looked for under all.
 */
export class TagKeys {
  /** The key to use from now on. */
  readonly first: TagKey;
  readonly #keys: ReadonlyMap<string, TagKey>;
  #stored: StoredTagKeys;

  /** @param prefix - The key in place of `none`. */
  constructor(prefix: string, given: TagKeyText | readonly TagKeyText[] = NO_KEY) {
    const list = typeof given === 'string' || given instanceof Uint8Array ? [given] : given;
    const keys = list.map((key) => new TagKey(key === NO_KEY ? prefix : key));
    this.first = keys[0]!;
    this.#keys = new Map(keys.map((key) => [key.fingerprint, key]));
    this.#stored = { current: this.first.fingerprint, earlier: [], switchAt: 0 };
  }

  get isOne(): boolean {
    return this.#keys.size === 1;
  }

  has(fingerprint: string): boolean {
    return this.#keys.has(fingerprint);
  }

  /** What the store said last; at first, that it uses the first key. */
  get stored(): StoredTagKeys {
    return this.#stored;
  }

  /** Uses the key that the store uses. This process has it. */
  follow(stored: StoredTagKeys): void {
    this.#stored = stored;
  }

  /** The key under which sessions are created at a time of the server's clock. */
  at(now: number): TagKey {
    const { current, earlier, switchAt } = this.#stored;
    const last = now < switchAt ? this.#keys.get(earlier[0] ?? '') : undefined;
    return last ?? this.#keys.get(current) ?? this.first;
  }

  /** Returns the tags of a user under all keys. */
  tagsOf(loginId: string): readonly string[] {
    return [...new Set(Array.from(this.#keys.values(), (key) => key.tagOf(loginId)))];
  }
}
