import { createHmac, hkdfSync } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { inspect } from 'node:util';
import { TokenKey } from './token-key.js';

/** The key that RFC 5869 derives from a secret, as the text that is the HMAC's key. */
function derived(secret: string): string {
  const info = 'nestjs-distributed-session session tokens: key';
  return Buffer.from(hkdfSync('sha256', secret, '', info, 32)).toString('base64url');
}

describe('A token key', () => {
  it('calculates HMAC-SHA-256 under a key that HKDF derives from the secret', () => {
    const ascii = fc.string({ unit: 'grapheme-ascii', maxLength: 300 });
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1 }), ascii, (secret, text) => {
        const expected = createHmac('sha256', derived(secret)).update(text).digest('base64url');
        expect(new TokenKey(secret).mac(text)).toBe(expected);
      }),
    );
  });

  it('has an id that follows from the secret and does not contain it or the key', () => {
    const secret = 'canary-canary-canary-canary-canary';
    const { id } = new TokenKey(secret);
    expect(id).toMatch(/^[\w-]{8}$/);
    expect(new TokenKey(secret).id).toBe(id);
    expect(new TokenKey(`${secret}x`).id).not.toBe(id);
    expect(derived(secret)).not.toContain(id);
  });

  it('shows neither the secret nor the key in a dump', () => {
    const secret = 'canary-canary-canary-canary-canary';
    const key = new TokenKey(secret);
    for (const dump of [inspect(key, { depth: 9, showHidden: true }), JSON.stringify(key)]) {
      expect(dump).not.toContain('canary');
      expect(dump).not.toContain(derived(secret));
      expect(Object.keys(JSON.parse(JSON.stringify(key)) as object)).toEqual(['id']);
    }
  });
});
