import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { migrationStatements } from './migration-sql.js';
import { SchemaNames, literal } from './schema-names.js';

const LONGEST_PREFIX = 'p'.repeat(30);
const names = new SchemaNames('public', 'distributed_');
const schemas = fc.string({ unit: fc.constantFrom('"', "'", '\\', ';', '.', ' ', '$', 'a', 'Ä'), minLength: 1 });

describe('SchemaNames', () => {
  it('names every object by schema and prefix', () => {
    expect(names.schema).toBe('"public"');
    expect(names.of('now_ms')).toBe('"public"."distributed_now_ms"');
    expect(names.local('now_ms')).toBe('"distributed_now_ms"');
  });

  it('fills names and values into SQL, and into its string literals', () => {
    const odd = new SchemaNames("it's", 'a_');
    expect(odd.sql(`SELECT '{}', {now_ms}() FROM {session}`)).toBe(
      `SELECT '{}', "it's"."a_now_ms"() FROM "it's"."a_session"`,
    );
    expect(odd.sql(`nextval('{session_place}')`)).toBe(`nextval('"it''s"."a_session_place"')`);
    expect(odd.sql('{index:by_login} {constraint:pkey} {schema} {prefix}')).toBe(`"a_by_login" "a_pkey" "it's" a_`);
    expect(names.sql(`pg_notify('{channel}', '')`)).toBe(`pg_notify('${names.channel}', '')`);
    expect(new SchemaNames('{session}', 'a_').sql(`{session} '{session}'`)).toBe(
      `"{session}"."a_session" '"{session}"."a_session"'`,
    );
  });

  it('quotes any schema as a single identifier', () => {
    fc.assert(
      fc.property(schemas, (schema) => {
        const [, quoted] = /^"((?:[^"]|"")*)"$/u.exec(new SchemaNames(schema, 'a_').schema) ?? [];
        expect(quoted?.replaceAll('""', '"')).toBe(schema);
      }),
    );
    expect(new SchemaNames('My "Schema"; --', 'a_').of('session')).toBe('"My ""Schema""; --"."a_session"');
  });

  it('has a unique channel for each schema and prefix', () => {
    const others = ['public', 'other', 'publicdistributed', 'PUBLIC', 'My "Schema"'].flatMap((schema) =>
      ['distributed_', 'other_', '_', 'd'].map((prefix) => new SchemaNames(schema, prefix)),
    );
    expect(new Set(others.map(({ channel }) => channel)).size).toBe(others.length);
    expect(new SchemaNames('public', 'distributed_').channel).toBe(names.channel);
    // Rolling updates depend on it: releases publish to each other only on the same one.
    expect(names.channel).toBe('distributed_session_1039a82f8b71d430');
  });

  it('has channels that require no quotes, for any schema', () => {
    fc.assert(
      fc.property(schemas, (schema) => {
        expect(new SchemaNames(schema, 'a_').channel).toMatch(/^distributed_session_[0-9a-f]{16}$/u);
      }),
    );
  });

  it('needs no name longer than 63 bytes, which PostgreSQL would truncate, with the longest prefix', () => {
    const sql = migrationStatements(new SchemaNames('s', LONGEST_PREFIX), 0).join('\n');
    const identifiers = [...sql.matchAll(/"([^"]+)"/gu)].map(([, name]) => name!);
    expect(identifiers.filter((name) => name.startsWith(LONGEST_PREFIX)).length).toBeGreaterThan(30);
    expect(identifiers.filter((name) => Buffer.byteLength(name) > 63)).toEqual([]);
  });
});

describe('literal()', () => {
  it('quotes any text as a single literal, which means the same with standard_conforming_strings on or off', () => {
    fc.assert(
      fc.property(fc.oneof(schemas, fc.string({ unit: fc.constantFrom('\\', "'", 'a') })), (text) => {
        const [, escapes = '', quoted] = /^(E?)'((?:[^']|'')*)'$/u.exec(literal(text)) ?? [];
        expect(escapes === 'E').toBe(text.includes('\\'));
        expect(quoted?.replaceAll("''", "'").replaceAll('\\\\', '\\')).toBe(text);
      }),
    );
  });
});
