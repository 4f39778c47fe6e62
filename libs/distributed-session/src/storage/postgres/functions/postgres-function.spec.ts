import { describe, expect, it } from '@jest/globals';
import { MIGRATIONS } from '../schema/migrations/migrations.js';
import { SchemaNames } from '../schema/schema-names.js';
import * as statements from '../statements.js';
import { FUNCTIONS } from './functions.js';
import { PostgresFunction } from './postgres-function.js';
import type { PostgresStatement } from './postgres-statement.js';

const names = new SchemaNames('public', 'd_');

const example = new PostgresFunction({
  name: 'find-late',
  params: { loginId: 'text', limit: 'integer' },
  returns: { lateSince: 'bigint', isHeld: 'boolean' },
  body: 'BEGIN RETURN QUERY SELECT 1, true FROM {session}; END',
});
const scalar = new PostgresFunction({
  name: 'login-hash',
  params: { loginId: 'text' },
  returns: 'text',
  language: 'sql',
  volatility: 'IMMUTABLE',
  body: 'md5(p_login_id)',
});

describe('PostgresFunction', () => {
  it('derives its signature, its definition and its call from one list of parameters and columns', () => {
    expect(names.sql(example.definition)).toBe(
      [
        'CREATE OR REPLACE FUNCTION "public"."d_find_late"(p_login_id text, p_limit integer) ' +
          'RETURNS TABLE (late_since bigint, is_held boolean) LANGUAGE plpgsql VOLATILE ' +
          'SET search_path = pg_catalog, pg_temp AS $$',
        'BEGIN RETURN QUERY SELECT 1, true FROM "public"."d_session"; END',
        '$$',
      ].join('\n'),
    );
    expect(example.prepare(names).text).toBe(
      'SELECT result.late_since, result.is_held FROM "public"."d_find_late"($1::pg_catalog.text, $2::integer) AS result',
    );
    expect(example.pack({ limit: 3, loginId: 'alice' })).toEqual(['alice', 3]);
    expect(example.parse(['7', 'f'])).toEqual({ lateSince: 7, isHeld: false });
  });

  it('sets no search path for a part, which runs under the path of the function that calls it', () => {
    const part = new PostgresFunction({ name: 'a', isPart: true, params: {}, returns: 'void', body: 'BEGIN END' });
    expect(part.definition).toBe(
      'CREATE OR REPLACE FUNCTION {a}() RETURNS void LANGUAGE plpgsql VOLATILE AS $$\nBEGIN END\n$$',
    );
  });

  it('calls a function with a single result as an expression', () => {
    expect(scalar.signature).toBe('(p_login_id text) RETURNS text');
    expect(scalar.definition).toContain('LANGUAGE sql IMMUTABLE RETURN md5(p_login_id)');
    expect(scalar.prepare(names).text).toBe('SELECT "public"."d_login_hash"($1::pg_catalog.text)');
  });

  it('selects the columns of a stored row one by one', () => {
    const stored = new PostgresFunction({ name: 'all', params: {}, returns: { stored: '{session}' }, body: '' });
    expect(stored.signature).toBe('() RETURNS TABLE (stored session)');
    expect(stored.prepare(names).text).toMatch(/^SELECT \(result\.stored\)\.session_id, .* AS result$/u);
  });

  it('has a digest that follows from its text, whatever the tables are called', () => {
    const definition = { name: 'now', params: {}, returns: 'bigint', language: 'sql', body: '1' } as const;
    const { digest } = new PostgresFunction(definition);
    expect(new PostgresFunction({ ...definition }).digest).toBe(digest);
    const others = [{ body: '2' }, { returns: 'text' }, { volatility: 'STABLE' }, { params: { a: 'text' } }];
    const digests = others.map(
      (change) => new PostgresFunction({ ...definition, ...change } as typeof definition).digest,
    );
    expect(new Set([digest, ...digests]).size).toBe(others.length + 1);
  });
});

describe('the functions and statements', () => {
  it('refer only to objects that the schema has', () => {
    const created = MIGRATIONS.flatMap((migration) => migration.statements).flatMap((statement) =>
      [...statement.matchAll(/^CREATE (?:OR REPLACE )?(?:TABLE|VIEW|SEQUENCE) \{(\w+)\}/gu)].map(([, name]) => name!),
    );
    const known = [...created, ...FUNCTIONS.map(({ sqlName }) => sqlName), 'channel', 'lock_seed', 'feed_lock'];
    const texts = Object.values(statements as Record<string, PostgresStatement>).map(
      (statement) => statement.prepare(names).text,
    );
    const used = [
      ...FUNCTIONS.flatMap(({ definition }) => [...definition.matchAll(/\{(\w+)\}/gu)]),
      ...texts.flatMap((text) => [...text.matchAll(/"public"\."d_(\w+)"/gu)]),
    ].map(([, name]) => name!);
    expect(used.filter((name) => !known.includes(name))).toEqual([]);
  });

  it('run under a search path without other schemas, except the parts, which no statement calls', () => {
    const sets = /SET search_path = pg_catalog, pg_temp|LANGUAGE sql/u;
    const parts = FUNCTIONS.filter(({ definition }) => !sets.test(definition)).map(({ sqlName }) => sqlName);
    expect(parts.toSorted()).toEqual([
      'count_login',
      'end_live',
      'expire_due',
      'expire_sessions',
      'flush_changes',
      'idlest_first',
      'is_online',
      'locked_session',
      'queue_change',
      'queue_service_change',
      'queue_session_change',
      'trim_history',
      'write_tombstone',
    ]);
    const bodies = FUNCTIONS.map(({ definition }) => definition.replace(/^.*/u, '')).join('\n');
    expect(parts.filter((part) => !bodies.includes(`{${part}}(`))).toEqual([]);
    const texts = Object.values(statements as Record<string, PostgresStatement>).map(
      (statement) => statement.prepare(names).text,
    );
    expect(parts.filter((part) => texts.join('\n').includes(names.of(part)))).toEqual([]);
  });

  it('use each of their parameters in their bodies', () => {
    for (const { sqlName, signature, definition } of FUNCTIONS) {
      const body = definition.slice(definition.search(/\$\$|RETURN /u));
      const params = [...signature.matchAll(/\bp_\w+/gu)].map(([name]) => name);
      const used = [...body.matchAll(/\bp_\w+/gu)].map(([name]) => name);
      expect([sqlName, params.filter((name) => !used.includes(name))]).toEqual([sqlName, []]);
      expect([sqlName, used.filter((name) => !params.includes(name))]).toEqual([sqlName, []]);
    }
  });
});
