import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { EnvironmentError } from './environment.error.js';
import { SECRET_VARIABLES } from './environment.js';
import { readEnvironment } from './read-environment.js';

const SECRET = 'a secret-free file of 32 characters'.replaceAll(' ', '-');

describe('a secret from a file', () => {
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'secrets-'));
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const fileOf = (content: string) => {
    const path = join(folder, 'secret');
    writeFileSync(path, content);
    return path;
  };

  test.each(SECRET_VARIABLES)('may be %s', (name) => {
    const isUrl = name === 'SESSION_STORAGE_URL';
    const content = isUrl ? 'redis://user:password@localhost' : SECRET;
    const variables = { ...(isUrl && { SESSION_STORAGE: 'redis' }), [`${name}_FILE`]: fileOf(content) };
    expect(readEnvironment(variables)[name]).toBe(content);
  });

  test.each([
    ['no newline', SECRET],
    ['a newline', `${SECRET}\n`],
    ['a newline of Windows', `${SECRET}\r\n`],
  ])('is all of the file with %s at its end', (_what, content) => {
    expect(readEnvironment({ ADMIN_SECRET_FILE: fileOf(content) }).ADMIN_SECRET).toBe(SECRET);
  });

  test('loses one newline and nothing else', () => {
    expect(readEnvironment({ SECRET_PEPPER_FILE: fileOf(` ${SECRET} \n\n`) }).SECRET_PEPPER).toBe(` ${SECRET} \n`);
  });

  test('keeps the rules of its variable, also where the file is empty, and is not repeated', () => {
    for (const content of ['', '\n', 'canary', `canary ${SECRET}`, `canary\n${SECRET}`]) {
      const faults = faultsOf({ ADMIN_SECRET_FILE: fileOf(content) });
      expect(faults).toEqual([expect.stringMatching(/^ADMIN_SECRET must be /)]);
      expect(faults.join()).not.toContain('canary');
    }
  });

  test('keeps the rules of production', () => {
    const variables = { NODE_ENV: 'production', ADMIN_SECRET_FILE: fileOf('change-me-'.repeat(4)) };
    expect(faultsOf(variables)).toEqual([expect.stringMatching(/^ADMIN_SECRET looks like a sample/)]);
  });

  test.each(SECRET_VARIABLES)('is refused where %s is set as well, without a word of either', (name) => {
    const variables = {
      SESSION_STORAGE: 'redis',
      SESSION_STORAGE_URL: 'redis://localhost',
      [name]: 'redis://canary-1',
    };
    const faults = faultsOf({ ...variables, [`${name}_FILE`]: fileOf('redis://canary-2') });
    expect(faults).toContain(`${name} and ${name}_FILE are both set; set one of them`);
    expect(faults.join()).not.toContain('canary');
  });

  test('that cannot be read is named by its path, and why', () => {
    const missing = join(folder, 'missing');
    const faults = faultsOf({ ADMIN_SECRET_FILE: missing, METRICS_TOKEN_FILE: folder });
    expect(faults).toEqual([
      `ADMIN_SECRET_FILE names a file that cannot be read: ${missing} (ENOENT)`,
      `METRICS_TOKEN_FILE names a file that cannot be read: ${folder} (EISDIR)`,
    ]);
  });

  test('is taken for no other variable', () => {
    expect(readEnvironment({ PORT_FILE: fileOf('1'), NODE_ENV_FILE: fileOf('test') })).toMatchObject({
      PORT: 3_000,
      NODE_ENV: 'development',
    });
  });
});

function faultsOf(variables: Record<string, string>): readonly string[] {
  try {
    readEnvironment(variables);
    return [];
  } catch (error) {
    return (error as EnvironmentError).faults;
  }
}
