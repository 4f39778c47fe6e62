import { describe, expect, it, jest } from '@jest/globals';
import crypto from 'node:crypto';

// The modules bind `randomBytes` when they are loaded, so the spy must be in place before.
const randomBytes = jest.fn((size: number): Buffer => crypto.randomBytes(size));
jest.unstable_mockModule('node:crypto', () => ({ ...crypto, default: crypto, randomBytes }));
const { generateToken } = await import('./session-credential.js');
const { generateSecret } = await import('../service/service-secret.js');

const lastBytes = () => randomBytes.mock.results.at(-1)!.value as Buffer;

describe('Generated secrets', () => {
  it('are 32 bytes of the CSPRNG for a token, all of them and nothing else', () => {
    randomBytes.mockClear();
    const token = generateToken();
    expect(randomBytes.mock.calls).toEqual([[32]]);
    expect(token).toBe(lastBytes().toString('base64url'));
  });

  it('contain 32 bytes of the CSPRNG for a service besides those of its key id', () => {
    randomBytes.mockClear();
    const { keyId, secret } = generateSecret();
    const sizes = randomBytes.mock.calls.map(([size]) => size);
    expect(sizes).toEqual([7, 32]);
    const digits = secret.slice(`dss_${keyId}_`.length, -6).split('');
    const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
    const number = digits.reduce((sum, digit) => sum * 62n + BigInt(alphabet.indexOf(digit)), 0n);
    expect(number).toBe(BigInt(`0x${lastBytes().toString('hex')}`));
  });
});
