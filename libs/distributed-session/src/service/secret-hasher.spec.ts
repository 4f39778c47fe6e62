import { describe, expect, it } from '@jest/globals';
import { createHmac } from 'node:crypto';
import { PackageUnavailableError } from '../errors/package-unavailable.error.js';
import type { SecretHash } from '../storage/service-credential-storage.js';
import { SecretHasher } from './secret-hasher.js';

const SECRET = 'dss_0123456789_a-generated-secret';
const CHOSEN = 'correct horse battery staple';
const hasher = new SecretHasher('a pepper of the deployment');
const other = new SecretHasher('another pepper altogether');
const unpeppered = new SecretHasher();

describe('SecretHasher', () => {
  it('hashes a generated secret with HMAC-SHA-256 and the pepper', () => {
    const digest = createHmac('sha256', 'a pepper of the deployment').update(SECRET).digest('base64url');
    expect(hasher.hashGenerated(SECRET)).toEqual({ algorithm: 'hmac-sha256', digest });
  });

  it('does not match a generated secret under another pepper or without one', () => {
    const hashes = [hasher, other, unpeppered].map((each) => each.hashGenerated(SECRET));
    expect(new Set(hashes.map((hash) => JSON.stringify(hash))).size).toBe(3);
    const matches = [hasher, other, unpeppered].map((each) => each.matchesGenerated(SECRET, hashes[0]));
    expect(matches).toEqual([true, false, false]);
  });

  it('hashes a chosen secret with argon2id, its parameters and a random salt', async () => {
    const [first, second] = [await hasher.hashChosen(CHOSEN), await hasher.hashChosen(CHOSEN)];
    const encoded = expect.stringMatching(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[^$]{20,}\$[^$]{40,}$/);
    expect([first, second]).toEqual([
      { algorithm: 'argon2id', encoded },
      { algorithm: 'argon2id', encoded },
    ]);
    expect(first).not.toEqual(second);
    expect(await hasher.matchesChosen(CHOSEN, first)).toBe(true);
    expect(await hasher.matchesChosen(`${CHOSEN}.`, first)).toBe(false);
  });

  it('does not match a chosen secret under another pepper or without one', async () => {
    const hash = await hasher.hashChosen(CHOSEN);
    expect(await other.matchesChosen(CHOSEN, hash)).toBe(false);
    expect(await unpeppered.matchesChosen(CHOSEN, hash)).toBe(false);
    expect(await unpeppered.matchesChosen(CHOSEN, await unpeppered.hashChosen(CHOSEN))).toBe(true);
  });

  it('matches nothing without a hash, with a hash of the other kind, or with a corrupt one', async () => {
    const chosen = await hasher.hashChosen(CHOSEN);
    const generated = hasher.hashGenerated(SECRET);
    const damaged: SecretHash[] = ['', 'AAAA', 'not base64!'].map((digest) => ({ algorithm: 'hmac-sha256', digest }));
    for (const hash of [undefined, chosen, ...damaged]) expect(hasher.matchesGenerated(SECRET, hash)).toBe(false);
    for (const hash of [undefined, generated]) expect(await hasher.matchesChosen(CHOSEN, hash)).toBe(false);
  });

  describe('without argon2', () => {
    const missing = new PackageUnavailableError('@node-rs/argon2', 'Install it.');
    const limited = new SecretHasher('a pepper of the deployment', () => Promise.reject(missing));

    it('hashes and matches generated secrets', () => {
      expect(limited.matchesGenerated(SECRET, limited.hashGenerated(SECRET))).toBe(true);
    });

    it('refuses to hash a chosen secret, and to compare one with a stored hash', async () => {
      await expect(limited.hashChosen(CHOSEN)).rejects.toBe(missing);
      await expect(limited.matchesChosen(CHOSEN, await hasher.hashChosen(CHOSEN))).rejects.toBe(missing);
    });

    it('matches nothing where there is no hash of a chosen secret', async () => {
      for (const hash of [undefined, limited.hashGenerated(SECRET)]) {
        expect(await limited.matchesChosen(CHOSEN, hash)).toBe(false);
      }
    });
  });
});
