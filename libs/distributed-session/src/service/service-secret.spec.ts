import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { crc32 } from 'node:zlib';
import { generateKeyId, generateSecret, keyIdOf, looksGenerated } from './service-secret.js';

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const FORM = /^dss_([0-9A-Za-z]{10})_([0-9A-Za-z]{43})([0-9A-Za-z]{6})$/;

function numberOf(digits: string): bigint {
  return Array.from(digits).reduce((sum, digit) => sum * 62n + BigInt(ALPHABET.indexOf(digit)), 0n);
}

describe('generateSecret', () => {
  it('returns dss_, the key id, 43 base 62 digits below 2^256 and a CRC-32 of everything before it', () => {
    for (let n = 0; n < 500; n++) {
      const { keyId, secret } = generateSecret();
      const [, id, random, checksum] = FORM.exec(secret)!;
      expect(id).toBe(keyId);
      expect(numberOf(random!)).toBeLessThan(2n ** 256n);
      expect(numberOf(checksum!)).toBe(BigInt(crc32(secret.slice(0, -6))));
    }
  });

  it('uses all 256 bits', () => {
    expect(62n ** 43n).toBeGreaterThan(2n ** 256n);
    const numbers = Array.from({ length: 500 }, () => numberOf(FORM.exec(generateSecret().secret)![2]!));
    for (let bit = 0n; bit < 256n; bit++) {
      const ones = numbers.filter((number) => (number >> bit) & 1n).length;
      expect(ones).toBeGreaterThan(100);
      expect(ones).toBeLessThan(400);
    }
  });

  it('repeats neither a secret nor a key id', () => {
    const secrets = Array.from({ length: 3_000 }, generateSecret);
    expect(new Set(secrets.map(({ secret }) => secret)).size).toBe(3_000);
    expect(new Set(secrets.map(({ keyId }) => keyId)).size).toBe(3_000);
    expect(generateKeyId()).toMatch(/^[0-9A-Za-z]{10}$/);
  });
});

describe('keyIdOf', () => {
  it('returns the key id of every generated secret', () => {
    for (let n = 0; n < 200; n++) {
      const { keyId, secret } = generateSecret();
      expect(keyIdOf(secret)).toBe(keyId);
      expect(looksGenerated(secret)).toBe(true);
    }
  });

  it('detects every typo of one character', () => {
    const { secret } = generateSecret();
    for (let at = 0; at < secret.length; at++) {
      for (const digit of ALPHABET) {
        if (digit === secret[at]) continue;
        expect(keyIdOf(secret.slice(0, at) + digit + secret.slice(at + 1))).toBeUndefined();
      }
    }
  });

  it('rejects secrets that are truncated, extended, in another form, or arbitrary text', () => {
    const { secret } = generateSecret();
    for (let length = 0; length < secret.length; length++) expect(keyIdOf(secret.slice(0, length))).toBeUndefined();
    for (const other of [
      `${secret}0`,
      ` ${secret}`,
      `${secret}\n`,
      secret.toUpperCase(),
      secret.replace('dss', 'abc'),
    ]) {
      expect(keyIdOf(other)).toBeUndefined();
    }
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.string().map((text) => `dss_${text}`),
        ),
        (text) => {
          expect(keyIdOf(text)).toBeUndefined();
        },
      ),
    );
  });
});

describe('looksGenerated', () => {
  it('requires the prefix dss_ in lower case', () => {
    expect(looksGenerated('correct horse battery staple')).toBe(false);
    expect(looksGenerated('DSS_x')).toBe(false);
  });
});
