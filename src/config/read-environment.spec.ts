import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { MAX_DURATION_MS } from 'nestjs-distributed-session';
import { errorsOf } from '../../test/support/environment-errors.js';
import { Environment, SECRET_VARIABLES } from './environment.js';
import { readEnvironment } from './read-environment.js';

const MINUTE = 60_000;
/** A secret that production accepts: a digest. */
const STRONG = createHash('sha256').update('a secret').digest('hex');

/** Every numeric variable with its range. */
const NUMBERS = [
  ['PORT', 0, 65_535],
  ['BODY_LIMIT_BYTES', 1_024, 16_777_216],
  ['SESSION_MAX_PER_LOGIN', 1, 1_000],
  ['SESSION_MAX_PER_DEVICE', 1, 1_000],
  ['SESSION_IDLE_TIMEOUT_MS', 1, MAX_DURATION_MS],
  ['SESSION_ABSOLUTE_TIMEOUT_MS', 1, MAX_DURATION_MS],
  ['SESSION_MAX_IDLE_TIMEOUT_MS', 1, MAX_DURATION_MS],
  ['SESSION_MAX_ABSOLUTE_TIMEOUT_MS', 1, MAX_DURATION_MS],
  ['SESSION_STORAGE_FEED_POLL_MS', 10, 10 * MINUTE],
  ['SESSION_ROTATION_GRACE_MS', 0, MAX_DURATION_MS],
  ['SESSION_HISTORY_RETENTION_MS', 0, MAX_DURATION_MS],
  ['EVENTS_HEARTBEAT_MS', 100, 5 * MINUTE],
  ['EVENTS_HELD', 1, 1_000_000],
  ['EVENTS_MAX_PER_SERVICE', 1, 1_000],
  ['EVENTS_MAX_STREAM_MS', 100, 24 * 60 * MINUTE],
  ['IDEMPOTENCY_RETENTION_MS', 1_000, 24 * 60 * MINUTE],
  ['SHUTDOWN_DELAY_MS', 0, 5 * MINUTE],
  ['SHUTDOWN_TIMEOUT_MS', 0, 5 * MINUTE],
] as const;

/** Every variable with a fixed set of words. */
const WORDS = [
  ['NODE_ENV', ['development', 'production', 'test']],
  ['HTTP_ADAPTER', ['express', 'fastify']],
  ['SESSION_STORAGE', ['memory', 'redis', 'postgres']],
  ['SESSION_STORAGE_MIGRATE', ['auto', 'check']],
  ['SESSION_STORAGE_POOLING', ['detect', 'transaction']],
  ['SESSION_TIMEOUT_PRESET', ['aal1', 'aal2', 'aal3', 'owaspHighValue']],
  ['SESSION_ON_LIMIT', ['end-oldest', 'end-idlest', 'reject']],
  ['DOCS', ['on', 'off']],
  ['LOG_FORMAT', ['json', 'text']],
  ['LOG_LEVEL', ['debug', 'log', 'warn', 'error']],
] as const;

function manyKeys(count: number): string {
  return Array.from({ length: count }, (_, n) => `the-key-with-number-${n}`).join(' ');
}

/** Every other variable, with valid and invalid texts. */
const TEXTS: readonly (readonly [keyof Environment, readonly string[], readonly string[]])[] = [
  ['HOST', ['0.0.0.0', '::1', 'sessions.example', 'a'.repeat(255)], ['a b', 'http://a', 'a/b', 'a'.repeat(256), 'a\n']],
  ['SERVICE_ID', ['s', 'session-service.v1_a', 'a'.repeat(128)], ['-a', '.a', 'a b', 'ä', 'a\n', 'a'.repeat(129)]],
  ['ADMIN_SERVICE_ID', ['a', 'root.2'], ['@expiry', 'a/b', 'a'.repeat(129)]],
  ['SESSION_STORAGE_KEY_PREFIX', ['ds', 'a_b.c-d:1', 'p'.repeat(64)], ['{ds}', 'a b', 'p'.repeat(65), 'ds\n']],
  [
    'SESSION_STORAGE_TAG_KEY',
    ['k'.repeat(16), 'k'.repeat(1_024), `none ${'k'.repeat(16)}`],
    ['k'.repeat(15), 'k'.repeat(1_025), `${'k'.repeat(16)} ${'k'.repeat(16)}`, manyKeys(11)],
  ],
  ['SESSION_STORAGE_SCHEMA', ['public', 'My "Schema"', 's'.repeat(63)], ['s'.repeat(64)]],
  [
    'SESSION_STORAGE_TABLE_PREFIX',
    ['distributed_', 'a', '_1', 'p'.repeat(30)],
    ['A_', '1_', 'a-b', 'a b', 'p'.repeat(31), 'a\n'],
  ],
  [
    'TOKEN_KEY',
    ['k'.repeat(32), 'k'.repeat(1_024), `${'k'.repeat(32)} ${'l'.repeat(32)}`, 'none', `none\n${'k'.repeat(32)}\n`],
    ['k'.repeat(31), 'k'.repeat(1_025), `${'k'.repeat(32)} k`, `${'k'.repeat(32)} ${'k'.repeat(32)}`, 'none none'],
  ],
  [
    'SECRET_PEPPER',
    ['p'.repeat(16), 'p'.repeat(1_024), `${'p'.repeat(16)} ${'q'.repeat(16)} none`, '["one with white space"]'],
    ['p'.repeat(15), 'p'.repeat(1_025), `${'p'.repeat(16)} short`, manyKeys(11), '["short"]', '[1, 2, 3, 4, 5, 6]'],
  ],
  [
    'ADMIN_SECRET',
    ['!2345678901~', 's'.repeat(512), 'the-new-secret the-old-secret'],
    [
      '12345678901',
      's'.repeat(513),
      'with a space',
      'dss_23456789',
      'sécret678901',
      'the-same-secret the-same-secret',
      'the-new-secret the-old-secret the-oldest-secret',
      'the-new-secret none',
    ],
  ],
  [
    'METRICS_TOKEN',
    ['!2345678901~', 't'.repeat(512), manyKeys(10)],
    ['12345678901', 't'.repeat(513), 'with a space', 'a\r\nb234567890', manyKeys(11), 'the-token-of-now none'],
  ],
  [
    'TRUST_PROXY',
    ['1', '99', '10.0.0.1', '10.0.0.0/8', '::1', 'fd00::/8', '10.0.0.0/8,192.0.2.7', '127.0.0.1, ::1/128'],
    [
      '0',
      '100',
      '-1',
      '1.5',
      'yes',
      'true',
      'loopback',
      '*',
      'dead',
      '10.0.0',
      '10.0.0.256',
      '10.0.0.0/33',
      '10.0.0.0/0',
      '::/129',
      '10.0.0.0/8,',
      ',',
      '1,2',
      '10.0.0.0/8/8',
    ],
  ],
];

describe('readEnvironment()', () => {
  test('requires no variable: the defaults are those of the class', () => {
    const environment = readEnvironment({});
    expect(environment).toEqual(new Environment());
    expect(environment).toMatchObject({ NODE_ENV: 'development', PORT: 3_000, SESSION_STORAGE: 'memory' });
    expect(Object.isFrozen(environment)).toBe(true);
  });

  test('has a tested rule for every variable', () => {
    const tested = [...NUMBERS, ...WORDS, ...TEXTS]
      .map(([name]) => name as string)
      .concat('SESSION_STORAGE_URL', 'SESSION_STORAGE_FEED_URL');
    expect(tested.toSorted()).toEqual(Object.keys(new Environment()).toSorted());
  });

  test.each(NUMBERS)('requires %s to be a whole number from %d to %d', (name, minimum, maximum) => {
    for (const valid of [minimum, maximum]) expect(readEnvironment({ [name]: String(valid) })[name]).toBe(valid);
    const invalid = [minimum - 1, maximum + 1, minimum + 0.5, NaN, Infinity].map(String);
    for (const text of [...invalid, 'many', '1_000', '5s', '1,000', '1e999', 'true', '[]']) {
      expect(errorsOf({ [name]: text })).toEqual([expect.stringMatching(`^${name} must be a whole number`)]);
    }
  });

  test.each([
    'SESSION_IDLE_TIMEOUT_MS',
    'SESSION_ABSOLUTE_TIMEOUT_MS',
    'SESSION_MAX_IDLE_TIMEOUT_MS',
    'SESSION_MAX_ABSOLUTE_TIMEOUT_MS',
  ] as const)('accepts %s=off', (name) => {
    expect(readEnvironment({ [name]: 'off' })[name]).toBeNull();
    for (const text of ['OFF', 'null', 'no', '0']) {
      expect(errorsOf({ [name]: text })).toEqual([expect.stringMatching(`^${name} must be .*, or off$`)]);
    }
  });

  test.each(WORDS)('requires %s to be one of %j', (name, words) => {
    const url = new Map([
      ['redis', 'redis://localhost'],
      ['postgres', 'postgres://localhost'],
    ]);
    for (const word of words) {
      const more = { ADMIN_SECRET: STRONG, SESSION_STORAGE_URL: url.get(word) ?? '' };
      expect(readEnvironment({ ...more, [name]: word })[name]).toBe(word);
    }
    for (const text of ['x', words[0].toUpperCase(), `${words[0]} `, 'constructor', '__proto__']) {
      expect(errorsOf({ [name]: text })).toEqual([expect.stringMatching(`^${name} must be `)]);
    }
  });

  test.each(TEXTS)('validates the form of %s', (name, valid, invalid) => {
    // Any other host than loopback requires it.
    const others: Record<string, string> = name === 'HOST' ? { ADMIN_SECRET: STRONG } : {};
    for (const text of valid) expect(readEnvironment({ ...others, [name]: text })[name]).toBe(text);
    for (const text of invalid) {
      const errors = errorsOf({ ...others, [name]: text });
      expect([text, ...errors]).toEqual([text, expect.stringMatching(`^${name} must be `)]);
    }
  });

  test('treats an empty or blank variable as not set', () => {
    const names = [...Object.keys(new Environment()), ...SECRET_VARIABLES.map((name) => `${name}_FILE`)];
    for (const nothing of ['', ' ', '\t\n']) {
      const variables = Object.fromEntries(names.map((name) => [name, nothing]));
      expect(readEnvironment(variables)).toEqual(new Environment());
    }
  });

  test('ignores every other variable', () => {
    const variables = { PATH: '/bin', PORTS: '1', host: 'a', isProduction: 'true', __proto__: 'x', constructor: 'x' };
    expect(readEnvironment(variables)).toEqual(new Environment());
  });

  test('derives the defaults that depend on NODE_ENV', () => {
    const [production, development] = ['production', 'development'].map((NODE_ENV) =>
      readEnvironment({ NODE_ENV, ADMIN_SECRET: STRONG }),
    );
    expect([development!.host, development!.logFormat, development!.isProduction]).toEqual([
      '127.0.0.1',
      'text',
      false,
    ]);
    expect([production!.host, production!.logFormat, production!.isProduction]).toEqual(['0.0.0.0', 'json', true]);
    expect(readEnvironment({ HOST: '::1', LOG_FORMAT: 'json' })).toMatchObject({ host: '::1', logFormat: 'json' });
  });
});
