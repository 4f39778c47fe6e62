import { describe, expect, it } from '@jest/globals';
import { Pool } from 'pg';
import { OptionsError } from '../../errors/options.error.js';
import { type PostgresSessionStorageOptions, resolvePostgresOptions } from './postgres-session-storage.options.js';

const url = 'postgres://localhost/sessions';

/** The errors of the options, one sentence each. */
function errorsOf(options: unknown): readonly string[] {
  try {
    resolvePostgresOptions(options as PostgresSessionStorageOptions);
    return [];
  } catch (error) {
    if (error instanceof OptionsError) return error.errors;
    throw error;
  }
}

describe('resolvePostgresOptions()', () => {
  it('returns the options with the defaults, frozen, and does not change its argument', () => {
    const given = { url, schema: undefined, deadlineMs: null } as unknown as PostgresSessionStorageOptions;
    const resolved = resolvePostgresOptions(given);
    expect({ ...resolved }).toEqual({
      url,
      schema: 'public',
      tablePrefix: 'distributed_',
      migrate: 'auto',
      deadlineMs: 1_000,
      connectDeadlineMs: 10_000,
      heartbeatIntervalMs: 1_000,
    });
    expect(Object.isFrozen(resolved)).toBe(true);
    expect(Object.isFrozen(given)).toBe(false);
  });

  it('accepts each way to set the server', () => {
    const ways = [{ url }, { url: 'postgresql://localhost' }, { options: {} }, { url, options: { max: 1 } }];
    for (const server of [...ways, { pool: new Pool() }]) expect(errorsOf(server)).toEqual([]);
  });

  it.each([
    ['none is set', {}],
    ['none is set', undefined],
    ['none is set', { url: undefined, pool: null }],
    ['pool cannot be combined', { pool: new Pool(), url }],
    ['pool cannot be combined', { pool: new Pool(), options: {} }],
    ['Pool of pg', { pool: {} }],
    ['Pool of pg', { pool: url }],
    ['Pool of pg', { pool: { connect: () => {} } }],
    ['options must be an object', { options: 'localhost' }],
  ])('requires exactly one valid server: %s', (error, options) => {
    expect(errorsOf(options)).toEqual([expect.stringContaining(error)]);
  });

  it.each([
    ['url', ['', 'localhost', 'redis://localhost', 'http://localhost/postgres://', 'postgres://host:70000', 7]],
    ['schema', ['', 'a\0b', 'a'.repeat(64), 'ä'.repeat(32), 7]],
    ['tablePrefix', ['', 'A', '1a', 'a-b', 'a b', 'ä', 'a"', 'a\n', 'a'.repeat(31), 7]],
    ['migrate', ['', 'never', true]],
    ['deadlineMs', [0, 9, 600_001, 1.5, NaN, Infinity, '1000', -1]],
    ['connectDeadlineMs', [9, 600_001]],
    ['heartbeatIntervalMs', [9, 600_001]],
    ['options', [{ max: 0 }, { max: 1_001 }, { max: 1.5 }, { max: '10' }, { max: NaN }]],
  ])('names %s when it is invalid', (name, values) => {
    for (const value of values) expect(errorsOf({ url, [name]: value })).toEqual([expect.stringContaining(name)]);
  });

  it.each([
    ['schema', ['My "Schema"', 'ä'.repeat(31), "it's", 'a'.repeat(63)]],
    ['tablePrefix', ['a', '_', 'sess_', 'a'.repeat(30), 'a1_']],
    ['migrate', ['auto', 'check']],
    ['deadlineMs', [10, 600_000]],
    ['options', [{ max: 1 }, { max: 1_000 }, {}]],
  ])('accepts every valid %s', (name, values) => {
    for (const value of values) expect(errorsOf({ url, [name]: value })).toEqual([]);
  });

  it('names a misspelt option and the one that was meant', () => {
    expect(errorsOf({ url, tableprefix: 'x' })).toEqual(['Unknown option "tableprefix". Did you mean "tablePrefix"?']);
  });

  it('names every error at once, and repeats no value', () => {
    const options = {
      url: 'postgres://ann:CANARY@host:70000',
      options: { password: 'CANARY', max: 0 },
      schema: 'CANARY\0',
      tablePrefix: 'CANARY',
      migrate: 'CANARY',
      deadlineMs: 1,
      hots: 'CANARY',
    };
    const errors = errorsOf(options);
    for (const name of ['url', 'options.max', 'schema', 'tablePrefix', 'migrate', 'deadlineMs', '"hots"']) {
      expect(errors).toContainEqual(expect.stringMatching(new RegExp(`^(Unknown option )?${name}\\W`, 'u')));
    }
    expect(errors).toHaveLength(7);
    const resolve = () => resolvePostgresOptions(options as unknown as PostgresSessionStorageOptions);
    expect(resolve).not.toThrow('CANARY');
    expect(resolve).toThrow('Invalid options for PostgresSessionStorage:');
  });
});
