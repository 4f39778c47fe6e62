import { describe, expect, it } from '@jest/globals';
import { OptionsError } from '../../../errors/options.error.js';
import { FUNCTIONS } from '../functions/functions.js';
import { migrationStatements, postgresMigrationSql } from './migration-sql.js';
import { MIGRATIONS } from './migrations/migrations.js';
import { SchemaNames } from './schema-names.js';

const names = new SchemaNames('public', 'distributed_');
const LATEST = MIGRATIONS.length;
/** The versions that statements enter into the ledger. */
const entered = (sql: string) =>
  [...sql.matchAll(/INSERT INTO [^(]*session_migration" \(version, name[\w, ]*\) VALUES \((\d+),/gu)].map(
    ([, version]) => Number(version),
  );
/** The functions that statements create. */
const created = (sql: string) =>
  [...sql.matchAll(/^CREATE OR REPLACE FUNCTION "public"\."distributed_(\w+)"/gmu)].map(([, name]) => name);

/** The errors of the options, one sentence each. */
function errorsOf(options: object): readonly string[] {
  try {
    postgresMigrationSql(options);
    return [];
  } catch (error) {
    if (error instanceof OptionsError) return error.errors;
    throw error;
  }
}

describe('the migrations', () => {
  it('are numbered from 1 without a gap, and have unique names', () => {
    expect(MIGRATIONS.map(({ version }) => version)).toEqual(MIGRATIONS.map((_, index) => index + 1));
    expect(new Set(MIGRATIONS.map(({ name }) => name)).size).toBe(LATEST);
  });

  it('say which release works on them, and never an older one than the migration before', () => {
    for (const [index, { version, oldest }] of MIGRATIONS.entries()) {
      expect(oldest.schema).toBeLessThanOrEqual(version);
      expect(oldest.schema).toBeGreaterThanOrEqual(MIGRATIONS[index - 1]?.oldest.schema ?? 1);
      expect(oldest.release).toMatch(/^\d+\.\d+\.\d+$/u);
    }
  });

  it.each([...MIGRATIONS.keys(), LATEST])(
    'from version %i contain one statement in each string, and only names of the given schema',
    (from) => {
      const statements = migrationStatements(new SchemaNames('other', 'sess_'), from);
      for (const statement of statements) {
        expect(statement).toMatch(/^[A-Z]/u);
        // The bodies of functions contain several statements.
        expect(statement.replace(/\$\$[^]*\$\$/u, '')).not.toContain(';');
      }
      expect(statements.join('\n')).not.toMatch(/distributed_(?!session_[0-9a-f]{16})|public\b(?!ly)|\{\w+\}/u);
    },
  );
});

describe('migrationStatements()', () => {
  it('creates the ledgers, enters each migration after its statements, then creates the functions', () => {
    const [migrations, functions, ...steps] = migrationStatements(names, 0);
    expect(migrations).toMatch(/^CREATE TABLE IF NOT EXISTS "public"\."distributed_session_migration"/u);
    expect(functions).toMatch(/^CREATE TABLE IF NOT EXISTS "public"\."distributed_session_function"/u);
    expect(entered(steps.join('\n'))).toEqual(MIGRATIONS.map(({ version }) => version));
    const firstFunction = steps.findIndex((statement) => statement.startsWith('CREATE OR REPLACE FUNCTION'));
    expect(entered(steps.slice(0, firstFunction).join('\n'))).toHaveLength(LATEST);
    expect(created(steps.join('\n'))).toEqual(FUNCTIONS.map(({ sqlName }) => sqlName));
    const counts = MIGRATIONS.map(({ statements }) => statements.length + 1);
    // After the check of the version, and the end of functions that were dropped.
    expect(firstFunction).toBe(counts.reduce((sum, count) => sum + count) + 2);
  });

  it('omits the migrations that were applied', () => {
    expect(entered(migrationStatements(names, 1).join('\n'))).not.toContain(1);
    expect(entered(migrationStatements(names, LATEST).join('\n'))).toEqual([]);
  });

  it('creates only the given functions, and drops those that no longer exist or have another signature', () => {
    const stale = FUNCTIONS.slice(0, 2);
    const statements = migrationStatements(names, LATEST, stale);
    expect(created(statements.join('\n'))).toEqual(stale.map(({ sqlName }) => sqlName));
    const drop = statements.find((statement) => statement.includes('DROP FUNCTION'))!;
    for (const { sqlName, signature } of FUNCTIONS) expect(drop).toContain(`('${sqlName}', '${signature}')`);
  });
});

describe('postgresMigrationSql()', () => {
  it('returns one transaction of the same statements, with the default names', () => {
    const sql = postgresMigrationSql();
    const statements = [
      'BEGIN',
      'SET LOCAL search_path = pg_catalog, pg_temp',
      ...migrationStatements(names, 0),
      'COMMIT',
    ];
    expect(sql).toBe(`${statements.join(';\n\n')};\n`);
  });

  it('uses only the given names', () => {
    const sql = postgresMigrationSql({ schema: `My "Schema's"`, tablePrefix: 'sess_', from: 1 });
    expect(sql).toContain(`"My ""Schema's"""."sess_service"`);
    expect(sql.replaceAll(/distributed_session_[0-9a-f]{16}/gu, '')).not.toContain('distributed_');
    expect(entered(sql)).toEqual(MIGRATIONS.slice(1).map(({ version }) => version));
  });

  it('names every error of its options at once', () => {
    const errors = errorsOf({ schema: '', tablePrefix: 'A', from: -1, form: 1 });
    expect(errors.map((error) => error.replace(/ must.*/u, '')).toSorted()).toEqual([
      'Unknown option "form". Did you mean "from"?',
      'from',
      'schema',
      'tablePrefix',
    ]);
    for (const from of [LATEST + 1, 1.5, NaN, '1', null]) {
      expect(errorsOf({ from })).toEqual([expect.stringContaining(`from 0 to ${LATEST}`)]);
    }
    expect(errorsOf({ from: LATEST })).toEqual([]);
  });
});
