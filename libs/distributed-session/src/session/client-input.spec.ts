import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { checkClient } from './client-input.js';

const userAgentOf = (userAgent: string) => checkClient({ userAgent })?.userAgent;

describe('checkClient()', () => {
  it('keeps texts within the limits, without spaces around them', () => {
    expect(checkClient({ ip: '2001:db8::1', userAgent: ' Firefox\t' })).toEqual({
      ip: '2001:db8::1',
      userAgent: 'Firefox',
    });
    expect(userAgentOf('x'.repeat(1_024))).toHaveLength(1_024);
  });

  it('cuts longer ones, and never within a character', () => {
    expect(userAgentOf('x'.repeat(1_112))).toBe('x'.repeat(1_024));
    expect(userAgentOf(`${'x'.repeat(1_023)}🦊🦊`)).toBe('x'.repeat(1_023));
    expect(userAgentOf(`${'x'.repeat(1_022)}🦊🦊`)).toBe(`${'x'.repeat(1_022)}🦊`);
    expect(checkClient({ ip: '203.0.113.7, '.repeat(20) })?.ip).toHaveLength(64);
  });

  it.each([[{}], [{ userAgent: '' }], [{ userAgent: ' \t', ip: '' }], [{ ip: undefined }]])(
    'returns no client for %j',
    (client) => {
      expect(checkClient(client)).toBeUndefined();
    },
  );

  it('replaces lone surrogates', () => {
    expect(userAgentOf('a\ud800b')).toBe('a\ufffdb');
  });

  it('accepts any texts, and returns well-formed ones within the limits', () => {
    const text = fc.string({
      unit: fc.oneof(fc.constantFrom('\ud83e', '\udd8a', ' ', '🦊'), fc.string()),
      maxLength: 3_000,
    });
    fc.assert(
      fc.property(text, text, (ip, userAgent) => {
        const client = checkClient({ ip, userAgent });
        for (const [value = '-', maxLength] of [
          [client?.ip, 64],
          [client?.userAgent, 1_024],
        ] as const) {
          expect(value.length).toBeGreaterThan(0);
          expect(value.length).toBeLessThanOrEqual(maxLength);
          expect(value.isWellFormed()).toBe(true);
        }
      }),
    );
  });

  it.each([
    ['client', null],
    ['client', 'Firefox'],
    ['client.ip', { ip: 7 }],
    ['client.userAgent', { userAgent: null }],
    ['client.userAgent', { userAgent: ['Firefox'] }],
    ['client.agent', { agent: 'Firefox' }],
  ])('rejects what only the application can have passed, and names %s', (field, client) => {
    expect(() => checkClient(client)).toThrow(expect.objectContaining({ code: 'ERR_SESSION_INPUT', field }));
  });
});
