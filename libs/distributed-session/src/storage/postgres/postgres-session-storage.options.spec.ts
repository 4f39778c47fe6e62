import { describe, expect, it } from '@jest/globals';
import { Pool } from 'pg';
import { OptionsError } from '../../errors/options.error.js';
import { type PostgresSessionStorageOptions, resolvePostgresOptions } from './postgres-session-storage.options.js';

const url = 'postgres://localhost/sessions';

/** The faults that options have, one sentence each. */
function faultsOf(options: unknown): readonly string[] {
  try {
    resolvePostgresOptions(options as PostgresSessionStorageOptions);
    return [];
  } catch (error) {
    if (error instanceof OptionsError) return error.errors;
    throw error;
  }
}

describe('resolvePostgresOptions()', () => {
  it('gives the defaults, frozen, and leaves what it was given as it was', () => {
    const given = { url, schema: undefined, deadlineMs: null } as unknown as PostgresSessionStorageOptions;
    const resolved = resolvePostgresOptions(given);
    expect(resolved).toEqual({
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

  it('takes each of the ways to say where PostgreSQL is', () => {
    const ways = [{ url }, { url: 'postgresql://localhost' }, { options: {} }, { url, options: { max: 1 } }];
    for (const server of [...ways, { pool: new Pool() }]) expect(faultsOf(server)).toEqual([]);
  });

  it.each([
    ['none is given', {}],
    ['none is given', undefined],
    ['none is given', { url: undefined, pool: null }],
    ['pool is given', { pool: new Pool(), url }],
    ['pool is given', { pool: new Pool(), options: {} }],
    ['Pool of pg', { pool: {} }],
    ['Pool of pg', { pool: url }],
    ['Pool of pg', { pool: { connect: () => {} } }],
    ['options must be an object', { options: 'localhost' }],
  ])('wants one of them that can be used: %s', (fault, options) => {
    expect(faultsOf(options)).toEqual([expect.stringContaining(fault)]);
  });

  it.each([
    ['url', ['', 'localhost', 'redis://localhost', 'http://localhost/postgres://', 'postgres://host:70000', 7]],
    ['schema', ['', 'a\0', 'a'.repeat(64), 'ä'.repeat(32), 7]],
    ['tablePrefix', ['', 'A', '1a', 'a-b', 'a b', 'ä', 'a"', 'a\n', 'a'.repeat(31), 7]],
    ['migrate', ['', 'never', true]],
    ['deadlineMs', [0, 9, 600_001, 1.5, NaN, Infinity, '1000', -1]],
    ['connectDeadlineMs', [9, 600_001]],
    ['heartbeatIntervalMs', [9, 600_001]],
    ['options', [{ max: 0 }, { max: 1_001 }, { max: 1.5 }, { max: '10' }, { max: NaN }]],
  ])('names %s when it cannot be used', (name, values) => {
    for (const value of values) expect(faultsOf({ url, [name]: value })).toEqual([expect.stringContaining(name)]);
  });

  it.each([
    ['schema', ['My "Schema"', 'ä'.repeat(31), "it's", 'a'.repeat(63)]],
    ['tablePrefix', ['a', '_', 'sess_', 'a'.repeat(30), 'a1_']],
    ['migrate', ['auto', 'check']],
    ['deadlineMs', [10, 600_000]],
    ['options', [{ max: 1 }, { max: 1_000 }, {}]],
  ])('takes every %s that can be', (name, values) => {
    for (const value of values) expect(faultsOf({ url, [name]: value })).toEqual([]);
  });

  it('names a misspelt option and those that there are', () => {
    expect(faultsOf({ url, tableprefix: 'x' })).toEqual([
      expect.stringMatching(/^tableprefix is no option\. .*\btablePrefix\b/u),
    ]);
  });

  it('names every fault at once, and repeats no value', () => {
    const options = {
      url: 'postgres://ann:CANARY@host:70000',
      options: { password: 'CANARY', max: 0 },
      schema: 'CANARY\0',
      tablePrefix: 'CANARY',
      migrate: 'CANARY',
      deadlineMs: 1,
      hots: 'CANARY',
    };
    expect(faultsOf(options)).toHaveLength(7);
    const resolve = () => resolvePostgresOptions(options as unknown as PostgresSessionStorageOptions);
    expect(resolve).not.toThrow('CANARY');
    expect(resolve).toThrow(/hots[^]*url[^]*options\.max[^]*schema[^]*tablePrefix[^]*deadlineMs[^]*migrate/u);
  });
});
