import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { type EnvironmentError, readEnvironment } from './read-environment.js';

/** Values of 32 bytes that look random but are the same in every run: digests. */
const GENERATED = Array.from({ length: 1_000 }, (_, index) => createHash('sha256').update(String(index)).digest());
const VALID = GENERATED[0]!.toString('hex');
const SECRETS = ['ADMIN_SECRET', 'METRICS_TOKEN', 'SECRET_PEPPER'] as const;

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
      expect(errorsInProduction({ [name]: secret })).toEqual([
        `${name} is too short or too simple for production; generate a secret with: openssl rand -hex 32`,
      ]);
    }
    expect(errorsInProduction({ [name]: VALID.slice(0, 32) })).toEqual([]);
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

  test('reports the errors of all secrets at once, without their values', () => {
    const errors = errorsInProduction({
      ADMIN_SECRET: '',
      METRICS_TOKEN: 'canary-123456',
      SECRET_PEPPER: `canary-admin-${VALID}`,
    });
    expect(errors.map((error) => error.split(' ')[0])).toEqual(['ADMIN_SECRET', 'METRICS_TOKEN', 'SECRET_PEPPER']);
    expect(errors.join()).not.toContain('canary');
  });

  test.each(['development', 'test'])('is stricter than in %s, which accepts any secret of valid form', (NODE_ENV) => {
    expect(errorsInProduction({ NODE_ENV, ADMIN_SECRET: 'change-me-please' })).toEqual([]);
    expect(errorsInProduction({ NODE_ENV, ADMIN_SECRET: '' })).toEqual([]);
  });
});
