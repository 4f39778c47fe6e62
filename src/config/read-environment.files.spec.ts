import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { errorsOf } from '../../test/support/environment-errors.js';
import { SECRET_VARIABLES } from './environment.js';
import { readEnvironment } from './read-environment.js';
import { secretFileWarnings } from './secret-files.js';

const SECRET = 'a secret-free file of 32 characters'.replaceAll(' ', '-');

describe('readEnvironment() with secrets in files', () => {
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

  test.each(SECRET_VARIABLES)('reads %s from a file', (name) => {
    const isUrl = name.endsWith('_URL');
    const content = isUrl ? 'postgres://user:password@localhost' : SECRET;
    const others = {
      SESSION_STORAGE: 'postgres',
      ...(name !== 'SESSION_STORAGE_URL' && { SESSION_STORAGE_URL: content }),
    };
    const variables = { ...(isUrl && others), [`${name}_FILE`]: fileOf(content) };
    expect(readEnvironment(variables)[name]).toBe(content);
  });

  test.each([
    ['no newline', SECRET],
    ['a newline', `${SECRET}\n`],
    ['a Windows newline', `${SECRET}\r\n`],
  ])('reads the whole file with %s at its end', (_what, content) => {
    expect(readEnvironment({ ADMIN_SECRET_FILE: fileOf(content) }).ADMIN_SECRET).toBe(SECRET);
  });

  test('removes only one newline at the end', () => {
    expect(readEnvironment({ SECRET_PEPPER_FILE: fileOf(` ${SECRET} \n\n`) }).SECRET_PEPPER).toBe(` ${SECRET} \n`);
  });

  test('validates the content, even of an empty file, and does not repeat it in an error', () => {
    for (const content of ['', '\n', 'canary', `canary ${SECRET}`, `canary\n${SECRET}`]) {
      const errors = errorsOf({ ADMIN_SECRET_FILE: fileOf(content) });
      expect(errors).toEqual([expect.stringMatching(/^ADMIN_SECRET must be /)]);
      expect(errors.join()).not.toContain('canary');
    }
  });

  test('applies the rules of production', () => {
    const variables = { NODE_ENV: 'production', ADMIN_SECRET_FILE: fileOf('change-me-'.repeat(4)) };
    expect(errorsOf(variables)).toEqual([expect.stringMatching(/^ADMIN_SECRET looks like a sample value/)]);
  });

  test.each(SECRET_VARIABLES)('rejects a file if %s is also set, without repeating either value', (name) => {
    const variables = {
      SESSION_STORAGE: 'redis',
      SESSION_STORAGE_URL: 'redis://localhost',
      [name]: 'redis://canary-1',
    };
    const errors = errorsOf({ ...variables, [`${name}_FILE`]: fileOf('redis://canary-2') });
    expect(errors).toContain(`${name} and ${name}_FILE are both set; set only one of them`);
    expect(errors.join()).not.toContain('canary');
  });

  test('reports a file that cannot be read, and the reason, without its path', () => {
    const missing = join(folder, 'missing');
    const errors = errorsOf({ ADMIN_SECRET_FILE: missing, METRICS_TOKEN_FILE: folder });
    expect(errors).toEqual([
      `ADMIN_SECRET_FILE names a file that cannot be read (ENOENT)`,
      `METRICS_TOKEN_FILE names a file that cannot be read (EISDIR)`,
    ]);
  });

  test('rejects a file that is larger than any secret, or has no end', () => {
    const large = fileOf('x'.repeat(65_537));
    const errors = errorsOf({ ADMIN_SECRET_FILE: large, METRICS_TOKEN_FILE: '/dev/zero' });
    expect(errors).toEqual([
      `ADMIN_SECRET_FILE names a file that cannot be read (EFBIG)`,
      'METRICS_TOKEN_FILE names a file that cannot be read (EFBIG)',
    ]);
  });

  test.each([0o644, 0o640, 0o604, 0o666, 0o620, 0o444])('warns of a file with the mode %o by its variable', (mode) => {
    const path = fileOf('canary-content');
    chmodSync(path, mode);
    for (const name of SECRET_VARIABLES) {
      const warnings = secretFileWarnings({ [`${name}_FILE`]: path });
      const text = `^${name}_FILE names a file that other users may access \\(mode 0${mode.toString(8)}\\)`;
      expect(warnings).toEqual([expect.stringMatching(text)]);
      expect(warnings.join()).not.toContain('canary');
    }
  });

  test('does not warn of a file that only its owner may access, or that does not exist', () => {
    const path = fileOf(SECRET);
    for (const mode of [0o600, 0o400]) {
      chmodSync(path, mode);
      expect(secretFileWarnings({ ADMIN_SECRET_FILE: path })).toEqual([]);
    }
    expect(secretFileWarnings({ ADMIN_SECRET_FILE: join(folder, 'missing'), METRICS_TOKEN_FILE: ' ' })).toEqual([]);
  });

  test('reads no other variable from a file', () => {
    expect(readEnvironment({ PORT_FILE: fileOf('1'), NODE_ENV_FILE: fileOf('test') })).toMatchObject({
      PORT: 3_000,
      NODE_ENV: 'development',
    });
  });
});
