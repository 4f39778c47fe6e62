import { createHash, createHmac } from 'node:crypto';
import { describe, expect, it, jest } from '@jest/globals';
import * as fc from 'fast-check';
import { inspect } from 'node:util';
import { Secret } from '../model/secret.js';
import { TokenDigests } from './token-digests.js';
import { TokenKey } from './token-key.js';

const ID = '0190b6f2-7c1e-4f7a-8a3b-5d2f1c9e8b70';
const OTHER_ID = '0190b6f2-7c1e-4f7a-8a3b-5d2f1c9e8b71';
const TOKEN = 'kq3v9T0wzD5Y-sample_token';
const [OLD, NEW] = ['the old token key of this application', 'the new token key of this application'];
const under = (...keys: string[]) => new TokenDigests({ tokenKey: keys.map((key) => new Secret(key)) });
const [unkeyed, old, renewing, current] = [new TokenDigests({}), under(OLD), under(NEW, OLD), under(NEW)];
/** As earlier builds stored it. */
const sha256 = (token: string) => createHash('sha256').update(token).digest('base64url');
const keyUnavailable = expect.objectContaining({ code: 'ERR_KEY_UNAVAILABLE' });

describe('Token digests', () => {
  it('are SHA-256 of label, session id and token digest, and an HMAC of that under the key', () => {
    const bound = sha256(`nestjs-distributed-session session token ${ID} ${sha256(TOKEN)}`);
    expect(unkeyed.digest(ID, TOKEN)).toBe(`unkeyed.${bound}`);
    const key = new TokenKey(NEW);
    expect(current.digest(ID, TOKEN)).toBe(`${key.id}.${key.mac(bound)}`);
  });

  it.each([
    ['without a key', unkeyed],
    ['under a key', current],
  ])('%s match the token of the session and no other token, and not under another session id', (_, digests) => {
    const text = fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(text, text, (token, other) => {
        const stored = digests.digest(ID, token);
        expect(digests.matches(ID, token, stored)).toBe(true);
        expect(digests.matches(ID, other, stored)).toBe(token === other);
        expect(digests.matches(OTHER_ID, token, stored)).toBe(false);
        expect(stored).not.toContain(token.padEnd(9, '?'));
      }),
    );
  });

  it('of a session that does not exist match no token, after the same work', () => {
    const mac = jest.spyOn(TokenKey.prototype, 'mac');
    const work = (stored: string | undefined) => {
      mac.mockClear();
      expect(current.matches(ID, TOKEN, stored)).toBe(false);
      return mac.mock.calls.length;
    };
    expect([work(undefined), work(current.digest(ID, 'another token'))]).toEqual([1, 1]);
    mac.mockRestore();
  });

  it('under a key cannot be calculated by a reader of the store: not without the key, and not with its id', () => {
    const stored = current.digest(ID, TOKEN);
    const bound = unkeyed.digest(ID, TOKEN).replace('unkeyed.', '');
    const keyId = stored.slice(0, 8);
    for (const guess of [bound, sha256(bound), createHmac('sha256', keyId).update(bound).digest('base64url')]) {
      expect(stored).not.toContain(guess);
    }
  });

  it('use a key derived from the pepper without a token key, and stay valid when one is added', () => {
    const secretPepper = [new Secret('the pepper of the services')];
    const before = new TokenDigests({ secretPepper });
    const stored = before.digest(ID, TOKEN);
    expect(stored).not.toMatch(/^unkeyed/);
    const after = new TokenDigests({ secretPepper, tokenKey: [new Secret(NEW)] });
    expect(after.matches(ID, TOKEN, stored)).toBe(true);
    expect(after.digest(ID, TOKEN)).toBe(current.digest(ID, TOKEN));
  });

  it('under a previous or future key are matched by a process that has it as a further one', () => {
    const publishing = under(OLD, NEW);
    for (const digests of [publishing, renewing]) {
      for (const stored of [old.digest(ID, TOKEN), current.digest(ID, TOKEN), unkeyed.digest(ID, TOKEN)]) {
        expect(digests.isKnown(ID, stored)).toBe(true);
        expect(digests.matches(ID, TOKEN, stored)).toBe(true);
        expect(digests.matches(ID, 'another token', stored)).toBe(false);
      }
    }
  });

  it('of a process with several keys are matched by every process that has one of them', () => {
    const [introducing, withdrawing] = [under(NEW, 'none'), under('none', OLD)];
    const pairs = [
      [renewing, [old, current, renewing]],
      [introducing, [unkeyed, current, renewing]],
      [withdrawing, [unkeyed, old, renewing]],
    ] as const;
    for (const [writer, readers] of pairs) {
      for (const reader of readers) {
        const stored = writer.digest(ID, TOKEN);
        expect(reader.isKnown(ID, stored)).toBe(true);
        expect(reader.matches(ID, TOKEN, stored)).toBe(true);
        expect(reader.matches(ID, 'another token', stored)).toBe(false);
      }
    }
  });

  it('lose those under earlier keys at the next write of a process that no longer has these, and at no earlier one', () => {
    const stored = renewing.digest(ID, TOKEN);
    for (const digests of [old, renewing, unkeyed]) expect(digests.renewed(ID, stored)).toBe(stored);
    expect(current.renewed(ID, stored)).toBe(current.digest(ID, TOKEN));
    const introduced = under(NEW, 'none').digest(ID, TOKEN);
    expect(unkeyed.renewed(ID, introduced)).toBe(introduced);
    expect(current.renewed(ID, introduced)).toBe(current.digest(ID, TOKEN));
  });

  it.each([
    ['of another key', current],
    ['of no key', unkeyed],
  ])('under an unknown key cause an error that names the key and the way out, in a process %s', (_, digests) => {
    const stored = old.digest(ID, TOKEN);
    expect(digests.isKnown(ID, stored)).toBe(false);
    for (const token of [TOKEN, 'another token']) {
      expect(() => digests.matches(ID, token, stored)).toThrow(keyUnavailable);
      expect(() => digests.matches(ID, token, stored)).toThrow(/keep a previous key as a further entry/);
    }
  });

  it('of earlier builds match their token', () => {
    for (const digests of [unkeyed, current]) {
      expect(digests.matches(ID, TOKEN, sha256(TOKEN))).toBe(true);
      expect(digests.matches(ID, 'another token', sha256(TOKEN))).toBe(false);
    }
  });

  it('of earlier builds and without a key become those of the current key at the next write, without the token', () => {
    for (const digests of [unkeyed, current]) {
      expect(digests.renewed(ID, sha256(TOKEN))).toBe(digests.digest(ID, TOKEN));
      expect(digests.renewed(ID, unkeyed.digest(ID, TOKEN))).toBe(digests.digest(ID, TOKEN));
    }
  });

  it('under another key are kept by the next write, as by a process that no longer has a key', () => {
    for (const digests of [renewing, current, unkeyed]) {
      expect(digests.renewed(ID, old.digest(ID, TOKEN))).toBe(old.digest(ID, TOKEN));
    }
  });

  it.each([
    '',
    'x',
    'unkeyed.',
    `unkeyed.${'a'.repeat(42)}`,
    `short.${'a'.repeat(43)}`,
    `${sha256(TOKEN)}x`,
    `unkeyed.${'a'.repeat(43)},`,
    `unkeyed.${'a'.repeat(43)},${'a'.repeat(43)}`,
    'ä'.repeat(43),
  ])('are corrupt if this library did not calculate them: %p', (stored) => {
    const corrupt = expect.objectContaining({ code: 'ERR_STORAGE_CORRUPT' });
    expect(() => unkeyed.matches(ID, TOKEN, stored)).toThrow(corrupt);
    expect(() => unkeyed.renewed(ID, stored)).toThrow(corrupt);
  });

  it('show no secret in a dump of the object that calculates them', () => {
    const dump = inspect(renewing, { depth: 9, showHidden: true }) + JSON.stringify(renewing);
    for (const secret of [OLD, NEW]) expect(dump).not.toContain(secret);
  });
});
