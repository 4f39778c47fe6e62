import { describe, expect, it } from '@jest/globals';
import { createHmac } from 'node:crypto';
import { hash } from '@node-rs/argon2';
import { PackageUnavailableError } from '../errors/package-unavailable.error.js';
import type { SecretHash } from '../storage/service-credential-storage.js';
import { SecretHasher } from './secret-hasher.js';

const SECRET = 'dss_0123456789_a-generated-secret';
const CHOSEN = 'correct horse battery staple';
const [OLD, NEW] = ['a pepper of the deployment', 'another pepper altogether'];
const [unpeppered, old, current] = [new SecretHasher(), new SecretHasher([OLD]), new SecretHasher([NEW])];
const [publishing, renewing] = [new SecretHasher([OLD, NEW]), new SecretHasher([NEW, OLD])];
const [introducing, withdrawing] = [new SecretHasher([NEW, 'none']), new SecretHasher(['none', OLD])];

/** The ids of the peppers of a stored hash. */
const peppersOf = ({ pepper, also = [] }: SecretHash) => [pepper, ...also.map((each) => each.pepper)];
const idOf = (hasher: SecretHasher) => hasher.hashGenerated(SECRET).pepper;
/** What a process stores after a generated secret has matched. */
const renewed = async (hasher: SecretHasher, stored: SecretHash, mayRemove = true) =>
  hasher.renewed(SECRET, stored, hasher.matchGenerated(SECRET, stored)!, mayRemove);

describe('SecretHasher', () => {
  it('hashes a generated secret with HMAC-SHA-256 and the pepper, and records the id of the pepper', () => {
    const digest = createHmac('sha256', OLD).update(SECRET).digest('base64url');
    const stored = old.hashGenerated(SECRET);
    expect(stored).toEqual({ algorithm: 'hmac-sha256', digest, pepper: expect.stringMatching(/^[\w-]{8}$/) });
    expect(unpeppered.hashGenerated(SECRET)).toMatchObject({ pepper: 'none' });
    expect(JSON.stringify(stored)).not.toContain(OLD);
  });

  it('does not match a generated secret under another pepper, and knows that it cannot', () => {
    const hashes = [old, current, unpeppered].map((each) => each.hashGenerated(SECRET));
    expect(new Set(hashes.map((each) => JSON.stringify(each))).size).toBe(3);
    const results = (hasher: SecretHasher) =>
      hashes.map((each) => [hasher.matchGenerated(SECRET, each) !== undefined, hasher.isKnown(each)]);
    // Whoever introduces a pepper still has secrets without one.
    expect(results(old)).toEqual([
      [true, true],
      [false, false],
      [true, true],
    ]);
    expect(results(unpeppered)).toEqual([
      [false, false],
      [false, false],
      [true, true],
    ]);
    expect(results(renewing)).toEqual([
      [true, true],
      [true, true],
      [true, true],
    ]);
  });

  it('hashes a chosen secret with argon2id, its parameters and a random salt', async () => {
    const [first, second] = [await old.hashChosen(CHOSEN), await old.hashChosen(CHOSEN)];
    const encoded = expect.stringMatching(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[^$]{20,}\$[^$]{40,}$/);
    expect([first, second]).toEqual([
      { algorithm: 'argon2id', encoded, pepper: idOf(old) },
      { algorithm: 'argon2id', encoded, pepper: idOf(old) },
    ]);
    expect(first).not.toEqual(second);
    expect(await old.matchChosen(CHOSEN, first)).toEqual(first);
    expect(await old.matchChosen(`${CHOSEN}.`, first)).toBeUndefined();
  });

  it('does not match a chosen secret under another pepper, also if that is named as its own', async () => {
    const stored = await old.hashChosen(CHOSEN);
    expect(await current.matchChosen(CHOSEN, stored)).toBeUndefined();
    expect(await unpeppered.matchChosen(CHOSEN, stored)).toBeUndefined();
    expect(await current.matchChosen(CHOSEN, { ...stored, pepper: idOf(current) })).toBeUndefined();
    expect(await current.matchChosen(CHOSEN, await unpeppered.hashChosen(CHOSEN))).toMatchObject({ pepper: 'none' });
  });

  it('matches nothing without a hash, with a hash of the other kind, or with a corrupt one', async () => {
    const chosen = await old.hashChosen(CHOSEN);
    const generated = old.hashGenerated(SECRET);
    const damaged: SecretHash[] = ['', 'AAAA', 'not base64!'].map((digest) => ({ algorithm: 'hmac-sha256', digest }));
    for (const each of [undefined, chosen, ...damaged]) expect(old.matchGenerated(SECRET, each)).toBeUndefined();
    for (const each of [undefined, generated]) expect(await old.matchChosen(CHOSEN, each)).toBeUndefined();
  });

  it('matches a hash of an earlier build, which names no pepper, under any pepper and without one', async () => {
    const digest = (pepper: string) => createHmac('sha256', pepper).update(SECRET).digest('base64url');
    const earlier = (pepper: string): SecretHash => ({ algorithm: 'hmac-sha256', digest: digest(pepper) });
    expect(renewing.matchGenerated(SECRET, earlier(OLD))).toMatchObject({ pepper: idOf(old) });
    const publicKey = 'nestjs-distributed-session service secret';
    expect(renewing.matchGenerated(SECRET, earlier(publicKey))).toMatchObject({ pepper: 'none' });
    expect(renewing.matchGenerated(SECRET, earlier('a pepper of somebody else'))).toBeUndefined();
    const parameters = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };
    const encoded = await hash(CHOSEN, { ...parameters, secret: Buffer.from(OLD) });
    expect(await renewing.matchChosen(CHOSEN, { algorithm: 'argon2id', encoded })).toMatchObject({ pepper: idOf(old) });
    expect(await renewed(old, earlier(OLD))).toEqual(old.hashGenerated(SECRET));
    expect(peppersOf((await renewed(renewing, earlier(OLD)))!)).toEqual([idOf(current), idOf(old)]);
  });

  it('with several peppers hashes so that a process with any of them can verify the secret', async () => {
    const readers = [
      [renewing, [old, current, publishing]],
      [publishing, [old, current, renewing]],
      [introducing, [unpeppered, current]],
      [withdrawing, [unpeppered, old]],
    ] as const;
    for (const [writer, others] of readers) {
      const [generated, chosen] = [writer.hashGenerated(SECRET), await writer.hashChosen(CHOSEN)];
      for (const reader of others) {
        expect(reader.matchGenerated(SECRET, generated)).toBeDefined();
        expect(await reader.matchChosen(CHOSEN, chosen)).toBeDefined();
        expect(reader.matchGenerated(`${SECRET}x`, generated)).toBeUndefined();
      }
    }
  });

  it('renews a hash by one under its first pepper, and keeps the one that other processes may need', async () => {
    expect(peppersOf((await renewed(renewing, old.hashGenerated(SECRET)))!)).toEqual([idOf(current), idOf(old)]);
    expect(peppersOf((await renewed(current, unpeppered.hashGenerated(SECRET)))!)).toEqual([idOf(current), 'none']);
    expect(peppersOf((await renewed(withdrawing, old.hashGenerated(SECRET)))!)).toEqual(['none', idOf(old)]);
    const chosen = await old.hashChosen(CHOSEN);
    const stored = (await renewing.renewed(CHOSEN, chosen, (await renewing.matchChosen(CHOSEN, chosen))!, true))!;
    for (const hasher of [old, current]) expect(await hasher.matchChosen(CHOSEN, stored)).toBeDefined();
  });

  it('removes the hash under an earlier pepper when it no longer lists that one, and only when it may', async () => {
    const stored = renewing.hashGenerated(SECRET);
    expect(await renewed(current, stored)).toEqual(current.hashGenerated(SECRET));
    expect(await renewed(current, stored, false)).toBeUndefined();
    expect(await renewed(current, introducing.hashGenerated(SECRET))).toEqual(current.hashGenerated(SECRET));
  });

  it('leaves what a process with a newer pepper has written as it is', async () => {
    const stored = renewing.hashGenerated(SECRET);
    for (const hasher of [old, publishing, renewing]) expect(await renewed(hasher, stored)).toBeUndefined();
    for (const hasher of [unpeppered, introducing]) {
      expect(await renewed(hasher, introducing.hashGenerated(SECRET))).toBeUndefined();
    }
  });

  describe('without argon2', () => {
    const missing = new PackageUnavailableError('@node-rs/argon2', 'Install it.');
    const limited = new SecretHasher([OLD], () => Promise.reject(missing));

    it('hashes and matches generated secrets', () => {
      expect(limited.matchGenerated(SECRET, limited.hashGenerated(SECRET))).toBeDefined();
    });

    it('refuses to hash a chosen secret, and to compare one with a stored hash', async () => {
      await expect(limited.hashChosen(CHOSEN)).rejects.toBe(missing);
      await expect(limited.matchChosen(CHOSEN, await old.hashChosen(CHOSEN))).rejects.toBe(missing);
    });

    it('matches nothing where there is no hash of a chosen secret', async () => {
      for (const each of [undefined, limited.hashGenerated(SECRET)]) {
        expect(await limited.matchChosen(CHOSEN, each)).toBeUndefined();
      }
    });
  });
});
