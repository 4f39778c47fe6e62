import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import type { EnvironmentError } from './environment.error.js';
import { readEnvironment } from './read-environment.js';

/** 32 bytes as a random generator makes them, but the same in every run: the bytes of a digest. */
const GENERATED = Array.from({ length: 1_000 }, (_, index) => createHash('sha256').update(String(index)).digest());
const GOOD = GENERATED[0]!.toString('hex');
const SECRETS = ['ADMIN_SECRET', 'METRICS_TOKEN', 'SECRET_PEPPER'] as const;

/** Everything that is wrong in production, with a good secret of the administrator unless another is given. */
function faultsInProduction(variables: Record<string, string> = {}): readonly string[] {
  try {
    readEnvironment({ NODE_ENV: 'production', ADMIN_SECRET: GOOD, ...variables });
    return [];
  } catch (error) {
    return (error as EnvironmentError).faults;
  }
}

describe('production', () => {
  test('does not start without a secret of the administrator, and says what to set', () => {
    const [fault, ...more] = faultsInProduction({ ADMIN_SECRET: '' });
    expect(fault).toMatch(/^ADMIN_SECRET is not set.*openssl rand -hex 32.*ADMIN_SECRET_FILE$/);
    expect(more).toEqual([]);
  });

  test.each(SECRETS)('takes no %s that is too short or too simple', (name) => {
    for (const secret of [GOOD.slice(0, 31), 'a'.repeat(64), '1234567'.repeat(10), 'correct-horse-battery-staple']) {
      expect(faultsInProduction({ [name]: secret })).toEqual([
        `${name} is too short or too simple for production; make one with: openssl rand -hex 32`,
      ]);
    }
    expect(faultsInProduction({ [name]: GOOD.slice(0, 32) })).toEqual([]);
  });

  test.each(SECRETS)('takes no %s out of a sample', (name) => {
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
      const faults = faultsInProduction({ [name]: `${word}-${GOOD}` });
      expect(faults).toEqual([`${name} looks like a sample; make one with: openssl rand -hex 32`]);
    }
  });

  test.each(['hex', 'base64', 'base64url'] as const)(
    'takes every secret that is generated and written as %s',
    (form) => {
      const refused = GENERATED.filter((bytes) => {
        const secret = bytes.toString(form);
        return faultsInProduction({ ADMIN_SECRET: secret, METRICS_TOKEN: secret, SECRET_PEPPER: secret }).length > 0;
      });
      expect(refused).toEqual([]);
    },
  );

  test('says what is wrong with each secret at once, and repeats none', () => {
    const faults = faultsInProduction({
      ADMIN_SECRET: '',
      METRICS_TOKEN: 'canary-123456',
      SECRET_PEPPER: `canary-admin-${GOOD}`,
    });
    expect(faults.map((fault) => fault.split(' ')[0])).toEqual(['ADMIN_SECRET', 'METRICS_TOKEN', 'SECRET_PEPPER']);
    expect(faults.join()).not.toContain('canary');
  });

  test.each(['development', 'test'])('is stricter than %s, which takes any secret of the form', (NODE_ENV) => {
    expect(faultsInProduction({ NODE_ENV, ADMIN_SECRET: 'change-me-please' })).toEqual([]);
    expect(faultsInProduction({ NODE_ENV, ADMIN_SECRET: '' })).toEqual([]);
  });
});
