import { describe, expect, it } from '@jest/globals';
import { createHmac } from 'node:crypto';
import type { SecretHash } from '../storage/service-credential-storage.js';
import { SecretHasher } from './secret-hasher.js';

const SECRET = 'dss_0123456789_a-generated-secret';
const CHOSEN = 'correct horse battery staple';
const hasher = new SecretHasher('a pepper of the deployment');
const other = new SecretHasher('another pepper altogether');
const unpeppered = new SecretHasher();

describe('SecretHasher', () => {
  it('stores a generated secret as HMAC-SHA-256 under the pepper', () => {
    const digest = createHmac('sha256', 'a pepper of the deployment').update(SECRET).digest('base64url');
    expect(hasher.hashGenerated(SECRET)).toEqual({ algorithm: 'hmac-sha256', digest });
  });

  it('the pepper matters: another one, and none, make another digest that does not match', () => {
    const hashes = [hasher, other, unpeppered].map((each) => each.hashGenerated(SECRET));
    expect(new Set(hashes.map((hash) => JSON.stringify(hash))).size).toBe(3);
    const matches = [hasher, other, unpeppered].map((each) => each.matchesGenerated(SECRET, hashes[0]));
    expect(matches).toEqual([true, false, false]);
  });

  it('stores a chosen secret by argon2id with its parameters and a salt of its own', async () => {
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

  it('the pepper matters for a chosen secret as well', async () => {
    const hash = await hasher.hashChosen(CHOSEN);
    expect(await other.matchesChosen(CHOSEN, hash)).toBe(false);
    expect(await unpeppered.matchesChosen(CHOSEN, hash)).toBe(false);
    expect(await unpeppered.matchesChosen(CHOSEN, await unpeppered.hashChosen(CHOSEN))).toBe(true);
  });

  it('matches nothing where there is no hash, or one of the other kind, or a damaged one', async () => {
    const chosen = await hasher.hashChosen(CHOSEN);
    const generated = hasher.hashGenerated(SECRET);
    const damaged: SecretHash[] = ['', 'AAAA', 'not base64!'].map((digest) => ({ algorithm: 'hmac-sha256', digest }));
    for (const hash of [undefined, chosen, ...damaged]) expect(hasher.matchesGenerated(SECRET, hash)).toBe(false);
    for (const hash of [undefined, generated]) expect(await hasher.matchesChosen(CHOSEN, hash)).toBe(false);
  });
});
