import { describe, expect, it } from '@jest/globals';
import { Pool } from 'pg';
import { OptionsError } from '../../errors/options.error.js';
import type { PostgresConnectionOptions } from './postgres-connection.options.js';
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

/** An option, or one of `options`, under its path. */
function withOption(path: string, value: unknown): object {
  const [name, nested] = path.split('.') as [string, string?];
  return { [name]: nested === undefined ? value : { [nested]: value } };
}

describe('resolvePostgresOptions()', () => {
  it('returns the options with the defaults, frozen, and does not change its argument', () => {
    const given = { url, schema: undefined, deadlineMs: null } as unknown as PostgresSessionStorageOptions;
    const resolved = resolvePostgresOptions(given);
    expect(resolved).toEqual({
      url,
      schema: 'public',
      tablePrefix: 'distributed_',
      migrate: 'auto',
      pooling: 'detect',
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
    ['feedUrl', ['', 'localhost', 'redis://localhost', 7]],
    ['feedPollIntervalMs', [9, 600_001, '100']],
    ['pooling', ['', 'session', true]],
    ['options.max', [0, 1_001, 1.5, '10', NaN]],
    ['options.idleTimeoutMillis', [-1, 1.5, 2 ** 31, '10']],
    ['options.maxLifetimeSeconds', [-1, 2_147_484, Infinity]],
    ['options.port', [0, 65_536, '5432']],
    ['options.host', ['', 7, {}]],
    ['options.database', ['', 7]],
    ['options.user', ['', 7]],
    ['options.password', [7, {}, Promise.resolve('late')]],
    ['options.ssl', ['require', 1]],
    ['options.application_name', ['', 7]],
  ])('names %s when it is invalid', (name, values) => {
    for (const value of values) {
      const errors = errorsOf({ url, ...withOption(name, value) });
      expect(errors).toEqual([expect.stringMatching(new RegExp(`^${name} must `, 'u'))]);
    }
  });

  it.each([
    ['schema', ['My "Schema"', 'ä'.repeat(31), "it's", 'a'.repeat(63)]],
    ['tablePrefix', ['a', '_', 'sess_', 'a'.repeat(30), 'a1_']],
    ['migrate', ['auto', 'check']],
    ['deadlineMs', [10, 600_000]],
    ['options.max', [1, 1_000, undefined, null]],
    ['options.idleTimeoutMillis', [0, 2 ** 31 - 1]],
    ['options.host', ['db.example', '/var/run/postgresql']],
    ['options.password', ['', 'secret', () => 'secret', async () => 'secret']],
    ['options.ssl', [true, false, { ca: [] }]],
  ])('accepts every valid %s', (name, values) => {
    for (const value of values) expect(errorsOf({ url, ...withOption(name, value) })).toEqual([]);
  });

  it('reads from the url that a pooler shares server sessions, unless the options state it', () => {
    const pooled = `${url}?sslmode=require&pgbouncer=true`;
    expect(resolvePostgresOptions({ url: pooled }).pooling).toBe('transaction');
    expect(resolvePostgresOptions({ url: pooled, pooling: 'detect' }).pooling).toBe('detect');
    expect(resolvePostgresOptions({ url: `${url}?pgbouncer=false` }).pooling).toBe('detect');
    expect(resolvePostgresOptions({ url, pooling: 'transaction' }).pooling).toBe('transaction');
  });

  it('rejects an interval for a feed that has its own url', () => {
    expect(errorsOf({ url, feedUrl: url, feedPollIntervalMs: 100 })).toEqual([
      'feedPollIntervalMs cannot be combined with feedUrl: set one or the other',
    ]);
  });

  it('keeps the connection options as given, without defaults: the url lies between the two', () => {
    const options = { max: 3, port: null } as unknown as PostgresConnectionOptions;
    const resolved = resolvePostgresOptions({ url, options });
    expect(resolved.options).toEqual({ max: 3 });
    expect([resolved.options, options].map((each) => Object.isFrozen(each))).toEqual([true, false]);
  });

  it('names a misspelt option and the one that was meant', () => {
    expect(errorsOf({ url, tableprefix: 'x' })).toEqual(['Unknown option "tableprefix". Did you mean "tablePrefix"?']);
    expect(errorsOf({ options: { idleTimeoutMilis: 1 } })).toEqual([
      'Unknown option "options.idleTimeoutMilis". Did you mean "options.idleTimeoutMillis"?',
    ]);
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
