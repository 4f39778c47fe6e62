import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { INPUT_LIMITS } from '../model/input-limits.js';
import { FakeClock } from '../testing/fake-clock.js';
import { InMemorySessionStorage } from '../storage/in-memory/in-memory-session-storage.js';
import { DistributedSessionManager } from './distributed-session.manager.js';
import {
  assertSessionId,
  assertToken,
  formatCredential,
  generateToken,
  parseCredential,
} from './session-credential.js';

const SESSION_ID = '0190b6f2-7c1e-4f7a-8a3b-5d2f1c9e8b70';
const TOKEN = 'kq3v9T0wzD5Y-sample_token';
const inputFault = expect.objectContaining({ code: 'ERR_SESSION_INPUT' });

/** Credentials with a single defect, and arbitrary texts. */
const malformed = fc
  .oneof(
    fc.string({ unit: 'binary', maxLength: 120 }),
    fc
      .tuple(fc.integer({ min: 0, max: 36 }), fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }))
      .map(([at, unit]) => `${SESSION_ID}.${TOKEN}`.slice(0, at) + unit + `${SESSION_ID}.${TOKEN}`.slice(at + 1)),
    fc.integer({ min: 0, max: 37 }).map((length) => `${SESSION_ID}.`.slice(0, length)),
    fc.constantFrom(' ', '"', ',', ';', '\\', '\n', '\u007f', 'é', '\u0000').map((c) => `${SESSION_ID}.${TOKEN}${c}`),
    fc.constantFrom('\n', ' ', '\u00a0').map((c) => `${c}${SESSION_ID}.${TOKEN}`),
    fc.constant(`${SESSION_ID}.${'t'.repeat(4_001)}`),
    fc.constant(`${SESSION_ID.toUpperCase()}.${TOKEN}`),
    fc.anything(),
  )
  .filter((value) => !(typeof value === 'string' && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.[!-~]+$/.test(value)));

/** Counts the calls that reach the storage. */
class CountingStorage extends InMemorySessionStorage {
  calls = 0;

  override get(sessionId: string) {
    this.calls++;
    return super.get(sessionId);
  }

  override touch(sessionIds: readonly string[]) {
    this.calls++;
    return super.touch(sessionIds);
  }
}

describe('Session tokens', () => {
  it('still parses the tokens that earlier builds accepted, which createSession() rejects now', () => {
    for (const token of ["a!b#c$d&e'f(g)h*i", 'a=b:c<d>e?f@g[h]i^j`k{l|m}n', '=token%41']) {
      expect(parseCredential(`${SESSION_ID}.${token}`)).toEqual({ sessionId: SESSION_ID, token });
      expect(() => assertToken(token, 1)).toThrow(inputFault);
    }
  });

  it('are unique', () => {
    expect(new Set(Array.from({ length: 5_000 }, generateToken)).size).toBe(5_000);
  });

  it('decode to 256 bits that all vary, so that they contain no user, time or host', () => {
    const tokens = Array.from({ length: 500 }, () => Buffer.from(generateToken(), 'base64url'));
    for (let bit = 0; bit < 256; bit++) {
      const ones = tokens.filter((token) => (token[bit >> 3]! >> (bit & 7)) & 1).length;
      // 500 fair coin tosses yield fewer than 100 or more than 400 heads less than once in 10^40 runs.
      expect(ones).toBeGreaterThan(100);
      expect(ones).toBeLessThan(400);
    }
    expect(tokens.every((token) => token.length === 32)).toBe(true);
  });

  it.each([
    ['', 'empty'],
    [5, 'type'],
    [null, 'type'],
    ['t'.repeat(INPUT_LIMITS.maxTokenLength + 1), 'length'],
    ['0123456789abcdefghijktwo words', 'format'],
    ['0123456789abcdefghijka;b', 'format'],
    ['0123456789abcdefghijka"b', 'format'],
    ['0123456789abcdefghijka\\b', 'format'],
    ['0123456789abcdefghijknaïve', 'format'],
    ['line\nline\nline\nline\nlines', 'format'],
    ['token456', 'length'],
    ['kq3v9T0wzD5Y-sample_t', 'length'],
    ['a'.repeat(22), 'format'],
    ['abc'.repeat(8), 'format'],
    ['abcdefgh'.repeat(4), 'format'],
    ['0123456789'.repeat(3), 'format'],
    ['user123-'.repeat(100), 'format'],
  ])('must not be %p if a caller passes one', (token, constraint) => {
    expect(() => assertToken(token)).toThrow(expect.objectContaining({ field: 'token', constraint }));
  });

  it('may be of 22 random characters, and of 1 if the minimum is 1', () => {
    for (const token of Array.from({ length: 1_000 }, () => generateToken().slice(0, 22))) assertToken(token);
    for (const token of ['token456', 'x']) assertToken(token, 1);
    expect(() => assertToken('token456', 9)).toThrow(expect.objectContaining({ constraint: 'length', limit: 9 }));
  });
});

describe('parseCredential', () => {
  it('parses the output of formatCredential(), including dots in the token', () => {
    const unit = fc.constantFrom(...'!#$%&()*+-./09:<=>?@AZ[]^_`az{|}~'.split(''));
    fc.assert(
      fc.property(fc.uuid(), fc.string({ unit, minLength: 1 }), (sessionId, token) => {
        expect(parseCredential(formatCredential({ sessionId, token }))).toEqual({ sessionId, token });
        expect(parseCredential({ sessionId, token })).toEqual({ sessionId, token });
      }),
    );
  });

  it('rejects 10,000 malformed credentials without a call to the storage', async () => {
    const storage = new CountingStorage({ clock: new FakeClock() });
    const manager = new DistributedSessionManager({ serviceId: 'svc', storage });
    await fc.assert(
      fc.asyncProperty(malformed, async (credential) => {
        await expect(manager.verifySession(credential as string)).rejects.toEqual(inputFault);
      }),
      { numRuns: 10_000 },
    );
    expect(storage.calls).toBe(0);
    expect(await storage.count()).toEqual({ sessions: 0, logins: 0 });
  });

  it('rejects objects without a session id and a token', () => {
    const ill = [{}, [], { sessionId: SESSION_ID }, { token: TOKEN }, { sessionId: [SESSION_ID], token: TOKEN }];
    for (const credential of [...ill, { sessionId: SESSION_ID, token: [TOKEN] }]) {
      expect(() => parseCredential(credential)).toThrow(inputFault);
    }
  });

  it('reads the properties of a credential once, for the check and the use', () => {
    let reads = 0;
    const credential = {
      sessionId: SESSION_ID,
      get token() {
        return reads++ === 0 ? TOKEN : 'white space';
      },
    };
    expect(parseCredential(credential)).toEqual({ sessionId: SESSION_ID, token: TOKEN });
  });

  it('quotes no part of a rejected credential', () => {
    const message = expect.not.stringContaining('canary');
    expect(() => parseCredential(`${SESSION_ID} canary-token`)).toThrow(expect.objectContaining({ message }));
    expect(() => assertToken('canary token 0123456789abcdef')).toThrow(expect.objectContaining({ message }));
    expect(() => assertSessionId('canary')).toThrow(expect.objectContaining({ message, field: 'sessionId' }));
  });
});
