import { describe, expect, it } from '@jest/globals';
import { OptionsError } from '../../../errors/options.error.js';
import { migrationStatements, postgresMigrationSql } from './migration-sql.js';
import { MIGRATIONS } from './migrations/migrations.js';
import { SchemaNames } from './schema-names.js';

const names = new SchemaNames('public', 'distributed_');
const LATEST = MIGRATIONS.length;
/** The versions that statements enter into the ledger. */
const entered = (sql: string) =>
  [...sql.matchAll(/INSERT INTO [^(]*session_migration" \(version, name\) VALUES \((\d+),/gu)].map(([, version]) =>
    Number(version),
  );

/** The faults that options have, one sentence each. */
function faultsOf(options: object): readonly string[] {
  try {
    postgresMigrationSql(options);
    return [];
  } catch (error) {
    if (error instanceof OptionsError) return error.errors;
    throw error;
  }
}

describe('the migrations', () => {
  it('are numbered from 1 on, without a gap, and each has a name of its own', () => {
    expect(MIGRATIONS.map(({ version }) => version)).toEqual(MIGRATIONS.map((_, index) => index + 1));
    expect(new Set(MIGRATIONS.map(({ name }) => name)).size).toBe(LATEST);
  });

  it.each(MIGRATIONS)(
    '$version, $name: has one statement a string, and no name that is not of the schema',
    (migration) => {
      const statements = migration.statements(new SchemaNames('other', 'sess_'));
      expect(statements.length).toBeGreaterThan(0);
      for (const statement of statements) {
        expect(statement).toMatch(/^[A-Z]/u);
        // What is in the body of a function is of the function.
        expect(statement.replace(/\$\$[^]*\$\$/u, '')).not.toContain(';');
      }
      expect(statements.join('\n')).not.toMatch(/distributed_(?!session_[0-9a-f]{16})|public\b(?!ly)/u);
    },
  );
});

describe('migrationStatements()', () => {
  it('makes the ledger where there is none, and then enters each step after it is done', () => {
    const [ledger, ...steps] = migrationStatements(names, 0);
    expect(ledger).toMatch(/^CREATE TABLE IF NOT EXISTS "public"\."distributed_session_migration"/u);
    expect(entered(steps.join('\n'))).toEqual(MIGRATIONS.map(({ version }) => version));
    expect(entered(steps.at(-1)!)).toEqual([LATEST]);
    const counts = MIGRATIONS.map(({ statements }) => statements(names).length + 1);
    expect(steps).toHaveLength(counts.reduce((sum, count) => sum + count));
  });

  it('leaves out the steps that are done, and those after the version that is asked for', () => {
    expect(entered(migrationStatements(names, 1).join('\n'))).not.toContain(1);
    expect(entered(migrationStatements(names, 0, 1).join('\n'))).toEqual([1]);
    expect(migrationStatements(names, LATEST)).toHaveLength(1);
  });
});

describe('postgresMigrationSql()', () => {
  it('is one transaction of the same statements, with the default names', () => {
    const sql = postgresMigrationSql();
    const statements = ['BEGIN', ...migrationStatements(names, 0), 'COMMIT'];
    expect(sql).toBe(`${statements.join(';\n\n')};\n`);
  });

  it('uses the names that are given, and only those', () => {
    const sql = postgresMigrationSql({ schema: 'My "Schema"', tablePrefix: 'sess_', from: 1 });
    expect(sql).toContain('"My ""Schema"""."sess_service"');
    expect(sql).not.toContain('distributed_s');
    expect(entered(sql)).toEqual(MIGRATIONS.slice(1).map(({ version }) => version));
  });

  it('names every fault of its options at once', () => {
    expect(faultsOf({ schema: '', tablePrefix: 'A', from: -1 })).toEqual(
      ['schema', 'tablePrefix', 'from'].map((name) => expect.stringContaining(name)),
    );
    for (const from of [LATEST + 1, 1.5, NaN, '1', null]) {
      expect(faultsOf({ from })).toEqual([expect.stringContaining(`from 0 to ${LATEST}`)]);
    }
    expect(faultsOf({ from: LATEST })).toEqual([]);
  });
});
