import { createHash, randomBytes } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { SECRET_VARIABLES } from './environment.js';
import { type EnvironmentError, readEnvironment } from './read-environment.js';
import { estimatedBits } from './secret-strength.js';

/** Values of 32 bytes that look random but are the same in every run: digests. */
const GENERATED = Array.from({ length: 1_000 }, (_, index) => createHash('sha256').update(String(index)).digest());
const VALID = GENERATED[0]!.toString('hex');
const SECRETS = SECRET_VARIABLES.filter((name) => !name.endsWith('_URL'));
const WAY_OUT = 'generate a secret with: openssl rand -hex 32';

const PREDICTABLE = [
  'abcdefgh'.repeat(4),
  'password1234'.repeat(3),
  '0123456789abcdef'.repeat(4),
  'P4ssw0rd!'.repeat(4),
  'hunter2'.repeat(5),
  'aaaabbbbccccddddeeeeffffgggghhhh',
  '00112233445566778899aabbccddeeff',
  '000102030405060708090a0b0c0d0e0f',
  'zyxwvutsrqponmlkjihgfedcba987654321',
  'acegikmoqsuwybdfhjlnprtvxz1357924680',
  'a1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p6',
  'AbCdEfGhIjKlMnOpQrStUvWxYz0123456789',
  'qwertyuiopasdfghjklzxcvbnm123456',
  '1q2w3e4r5t6y7u8i9o0p1q2w3e4r5t6y',
  '1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik,9ol.',
  'thequickbrownfoxjumpsoverthelazydog',
  'correct-horse-battery-staple-correct-horse',
  'letmein123letmein456letmein789letmein',
  'Winter2026!Summer2026!Spring2026!Autumn2026!',
  'ThisIsMyVeryStrongServerTokenNumber1',
  '31415926535897932384626433832795',
  'deadbeefcafebabefeedfacebaadf00d',
  '2b7e151628aed2a6abf7158809cf4f3c',
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  '00000000-0000-4000-8000-000000000001',
  Buffer.from('letmein1234letmein1234').toString('base64'),
  Buffer.from('abcdefghabcdefgh').toString('hex'),
];

/** Returns the environment errors in production, by default with a valid administrator secret. */
function errorsInProduction(variables: Record<string, string> = {}): readonly string[] {
  try {
    readEnvironment({ NODE_ENV: 'production', ADMIN_SECRET: VALID, ...variables });
    return [];
  } catch (error) {
    return (error as EnvironmentError).errors;
  }
}

describe('readEnvironment() in production', () => {
  test('requires ADMIN_SECRET and describes how to set it', () => {
    const [error, ...more] = errorsInProduction({ ADMIN_SECRET: '' });
    expect(error).toMatch(/^ADMIN_SECRET is required in production.*openssl rand -hex 32.*ADMIN_SECRET_FILE/);
    expect(more).toEqual([]);
  });

  test.each(SECRETS)('rejects a %s that is too short or too simple', (name) => {
    for (const secret of [VALID.slice(0, 31), 'a'.repeat(64), '1234567'.repeat(10), 'correct-horse-battery-staple']) {
      // A shorter one may break the rule of its variable as well.
      expect(errorsInProduction({ [name]: secret })).toContain(
        `${name} is too short or too simple for production; generate a secret with: openssl rand -hex 32`,
      );
    }
    expect(errorsInProduction({ [name]: VALID.slice(0, 32) })).toEqual([]);
  });

  test.each(SECRETS)('rejects a %s that repeats itself, or consists of sequences or words', (name) => {
    expect(PREDICTABLE.filter((secret) => errorsInProduction({ [name]: secret }).length !== 1)).toEqual([]);
    expect(errorsInProduction({ [name]: 'abcdefgh'.repeat(4) })).toEqual([
      `${name} is easy to guess: it repeats itself, or consists of sequences or words; ${WAY_OUT}`,
    ]);
  });

  test('accepts 10,000 generated secrets of each usual form', () => {
    const forms = [
      [32, 'hex'],
      [32, 'base64'],
      [32, 'base64url'],
      [24, 'base64'],
    ] as const;
    for (const [bytes, encoding] of forms) {
      const secrets = Array.from({ length: 10_000 }, () => randomBytes(bytes).toString(encoding));
      expect(Math.min(...secrets.map(estimatedBits))).toBeGreaterThan(96);
    }
  });

  test('accepts a long passphrase of random words', () => {
    const passphrase = 'vexed-oblong-kumquat-trudge-jigsaw-plywood-ethanol-smudgy';
    expect(errorsInProduction({ ADMIN_SECRET: passphrase })).toEqual([]);
  });

  test.each(SECRETS)('rejects a %s that looks like a sample value', (name) => {
    const words = [
      'change-me',
      'ChangeIt',
      'example',
      'sample',
      'DEFAULT',
      'secret',
      'Password',
      'admin',
      'placeholder',
    ];
    for (const word of words) {
      const errors = errorsInProduction({ [name]: `${word}-${VALID}` });
      expect(errors).toEqual([`${name} looks like a sample value; generate a secret with: openssl rand -hex 32`]);
    }
  });

  test.each(['hex', 'base64', 'base64url'] as const)('accepts every generated secret in the encoding %s', (form) => {
    const rejected = GENERATED.filter((bytes) => {
      const secret = bytes.toString(form);
      return errorsInProduction({ ADMIN_SECRET: secret, METRICS_TOKEN: secret, SECRET_PEPPER: secret }).length > 0;
    });
    expect(rejected).toEqual([]);
  });

  test('applies to each entry of a secret, except to none', () => {
    expect(errorsInProduction({ ADMIN_SECRET: `${VALID} password1234` })).toEqual([
      expect.stringMatching(/^entry 2 of ADMIN_SECRET is too short or too simple for production; generate/),
    ]);
    const keys = `none ${VALID} canary-123456789 ${'ab'.repeat(20)}`;
    const errors = errorsInProduction({ SECRET_PEPPER: keys });
    expect(errors.map((error) => error.split(' is ')[0])).toEqual([
      'entry 3 of SECRET_PEPPER',
      'entry 4 of SECRET_PEPPER',
    ]);
    expect(errors.join()).not.toContain('canary');
    expect(errorsInProduction({ SECRET_PEPPER: `${VALID} none` })).toEqual([]);
  });

  test('reports the errors of all secrets at once, without their values', () => {
    const errors = errorsInProduction({
      ADMIN_SECRET: '',
      METRICS_TOKEN: 'canary-123456',
      SECRET_PEPPER: `canary-admin-${VALID}`,
    });
    expect(errors.map((error) => error.split(' ')[0])).toEqual(['ADMIN_SECRET', 'METRICS_TOKEN', 'SECRET_PEPPER']);
    expect(errors.join()).not.toContain('canary');
  });

  test.each([
    '0.0.0.0',
    '::',
    '::0',
    '10.0.0.1',
    '128.0.0.1',
    'fd00::1',
    '::ffff:10.0.0.1',
    '0',
    '127.1',
    'sessions.test',
  ])('applies wherever other machines can reach the service: HOST=%s', (HOST) => {
    for (const NODE_ENV of ['', 'development', 'test']) {
      const [error, ...more] = errorsInProduction({ NODE_ENV, HOST, ADMIN_SECRET: '' });
      expect(error).toContain(`ADMIN_SECRET is required, because other machines can reach HOST=${HOST}; `);
      expect(error).toMatch(/to run in development, unset HOST, or set it to 127.0.0.1$/);
      expect(more).toEqual([]);
      const weak = { ADMIN_SECRET: 'password1234', METRICS_TOKEN: 'abcdefgh'.repeat(4) };
      expect(errorsInProduction({ NODE_ENV, HOST, ...weak })).toHaveLength(2);
      const environment = readEnvironment({ NODE_ENV, HOST, ADMIN_SECRET: VALID });
      expect([environment.isProduction, environment.logFormat, environment.host]).toEqual([true, 'json', HOST]);
    }
  });

  test.each([
    '',
    '127.0.0.1',
    '127.9.8.7',
    'localhost',
    'LOCALHOST',
    '::1',
    '0:0:0:0:0:0:0:1',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
  ])('does not apply to the loopback address: HOST=%s', (HOST) => {
    expect(errorsInProduction({ NODE_ENV: '', HOST, ADMIN_SECRET: 'password1234' })).toEqual([]);
    expect(errorsInProduction({ HOST, ADMIN_SECRET: 'password1234' })).toHaveLength(1);
  });

  test.each(['development', 'test'])('is stricter than in %s, which accepts any secret of valid form', (NODE_ENV) => {
    expect(errorsInProduction({ NODE_ENV, ADMIN_SECRET: 'change-me-please' })).toEqual([]);
    expect(errorsInProduction({ NODE_ENV, ADMIN_SECRET: '' })).toEqual([]);
  });
});
