import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { FeedKey } from './feed-key.js';

const message = Buffer.from('a message');

/** Another process's copy of a key. */
function copyOf(key: FeedKey): FeedKey {
  const copy = new FeedKey();
  copy.adopt(key.value);
  return copy;
}

describe('FeedKey', () => {
  it('opens what another process has sealed with the same key', () => {
    const key = new FeedKey();
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), (bytes) => {
        expect(copyOf(key).open(key.seal(Buffer.from(bytes)))).toEqual(Buffer.from(bytes));
      }),
    );
  });

  it('seals as the scripts do: SHA-1 of the second half and the inner digest', () => {
    const key = new FeedKey();
    key.adopt('0'.repeat(32) + 'f'.repeat(32));
    expect(key.seal(message).subarray(message.length).toString()).toBe('2e1069fc5eefe74696c721b5fadc1b1e6197411e');
  });

  it('opens no message of another key, with a changed byte, truncated or extended', () => {
    const key = new FeedKey();
    const sealed = key.seal(message);
    expect(new FeedKey().open(sealed)).toBeUndefined();
    for (let at = 0; at < sealed.length; at++) {
      const changed = Buffer.from(sealed);
      changed[at]! ^= 1;
      expect(key.open(changed)).toBeUndefined();
      expect(key.open(sealed.subarray(at + 1))).toBeUndefined();
      expect(key.open(sealed.subarray(0, at))).toBeUndefined();
    }
    expect(key.open(Buffer.concat([sealed, Buffer.from('a')]))).toBeUndefined();
    expect(key.open(Buffer.concat([Buffer.from('a'), sealed]))).toBeUndefined();
  });

  it('has 256 random bits, and accepts only such keys from the store', () => {
    expect(new FeedKey().value).not.toBe(new FeedKey().value);
    expect(FeedKey.isValid(new FeedKey().value)).toBe(true);
    for (const stored of ['', 'a'.repeat(63), 'g'.repeat(64), `${'a'.repeat(64)}\n`]) {
      expect(FeedKey.isValid(stored)).toBe(false);
    }
  });

  it('reports whether the adopted key is another one', () => {
    const [key, other] = [new FeedKey(), new FeedKey()];
    expect([key.adopt(key.value), key.adopt(other.value), key.adopt(other.value)]).toEqual([false, true, false]);
  });

  it('appears in no dump', () => {
    const key = new FeedKey();
    for (const dump of [JSON.stringify(key), inspect(key, { depth: null, showHidden: true })]) {
      expect(dump).not.toContain(key.value.slice(0, 8));
    }
  });
});
