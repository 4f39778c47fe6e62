import { inspect } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { errorsOf } from '../../test/support/environment-errors.js';
import { EnvironmentError } from './read-environment.js';

describe('readEnvironment() with invalid variables', () => {
  test('reports all errors at once, each as a separate sentence', () => {
    const variables = {
      NODE_ENV: 'production',
      PORT: 'x',
      DOCS: 'maybe',
      METRICS_TOKEN: 'short',
      SESSION_STORAGE: 'file',
    };
    const errors = errorsOf(variables);
    for (const name of ['PORT', 'DOCS', 'METRICS_TOKEN', 'SESSION_STORAGE', 'ADMIN_SECRET']) {
      expect(errors.filter((error) => error.startsWith(`${name} `)).length).toBeGreaterThan(0);
    }
    const { message, name } = new EnvironmentError(errors);
    expect(name).toBe('EnvironmentError');
    expect(message.split('\n')).toEqual([
      'The session service cannot start:',
      ...errors.map((error) => `  - ${error}.`),
    ]);
  });

  test('does not repeat a secret in an error', () => {
    const secrets = {
      ADMIN_SECRET: 'canary',
      METRICS_TOKEN: 'canary with spaces',
      SECRET_PEPPER: 'canary',
      TOKEN_KEY: 'canary',
      SESSION_STORAGE: 'redis',
      SESSION_STORAGE_URL: 'postgres://canary:canary@localhost',
    };
    for (const NODE_ENV of ['development', 'production']) {
      const error = new EnvironmentError(errorsOf({ ...secrets, NODE_ENV }));
      expect(error.errors.length).toBeGreaterThanOrEqual(4);
      expect(inspect(error, { depth: null, showHidden: true })).not.toContain('canary');
    }
  });

  test('names the replacement of a removed variable, also of one that names a file', () => {
    const errors = [expect.stringMatching(/^ACCEPTED_TOKEN_KEYS is no longer read; append its keys to TOKEN_KEY/)];
    expect(errorsOf({ ACCEPTED_TOKEN_KEYS: 'k'.repeat(32) })).toEqual(errors);
    expect(errorsOf({ ACCEPTED_TOKEN_KEYS_FILE: '/run/secrets/keys' })).toEqual(errors);
  });
});
