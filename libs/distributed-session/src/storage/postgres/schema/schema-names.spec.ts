import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { MIGRATIONS } from './migrations/migrations.js';
import { SchemaNames, literal } from './schema-names.js';

const LONGEST_PREFIX = 'p'.repeat(30);
const names = new SchemaNames('public', 'distributed_');
const schemas = fc.string({ unit: fc.constantFrom('"', "'", '\\', ';', '.', ' ', '$', 'a', 'Ä'), minLength: 1 });

describe('SchemaNames', () => {
  it('names the tables and all else by schema and prefix', () => {
    expect(names).toMatchObject({
      schema: '"public"',
      session: '"public"."distributed_session"',
      sessionCount: '"public"."distributed_session_count"',
      service: '"public"."distributed_service"',
      serviceSecret: '"public"."distributed_service_secret"',
      currentService: '"public"."distributed_current_service"',
      migration: '"public"."distributed_session_migration"',
    });
    expect(names.of('now_ms')).toBe('"public"."distributed_now_ms"');
    expect(names.local('now_ms')).toBe('"distributed_now_ms"');
  });

  it('keeps any schema within its quotes: what is read back is one identifier, and nothing behind it', () => {
    fc.assert(
      fc.property(schemas, (schema) => {
        const [, quoted] = /^"((?:[^"]|"")*)"$/u.exec(new SchemaNames(schema, 'a_').schema) ?? [];
        expect(quoted?.replaceAll('""', '"')).toBe(schema);
      }),
    );
    expect(new SchemaNames('My "Schema"; --', 'a_').session).toBe('"My ""Schema""; --"."a_session"');
  });

  it('has a channel and a seed of locks that nobody else of the database has', () => {
    const others = ['public', 'other', 'publicdistributed', 'PUBLIC', 'My "Schema"'].flatMap((schema) =>
      ['distributed_', 'other_', '_', 'd'].map((prefix) => new SchemaNames(schema, prefix)),
    );
    expect(new Set(others.map(({ channel }) => channel)).size).toBe(others.length);
    expect(new Set(others.map(({ lockSeed }) => lockSeed)).size).toBe(others.length);
    const again = new SchemaNames('public', 'distributed_');
    expect([again.channel, again.lockSeed]).toEqual([names.channel, names.lockSeed]);
    // Rolling updates depend on them: releases hear and lock each other out only by the same ones.
    expect([names.channel, names.lockSeed]).toEqual([
      'distributed_session_1039a82f8b71d430',
      -1_077_003_728_721_044_249n,
    ]);
  });

  it('has channels that need no quotes, and seeds that are numbers of PostgreSQL, for any schema', () => {
    fc.assert(
      fc.property(schemas, (schema) => {
        const { channel, lockSeed } = new SchemaNames(schema, 'a_');
        expect(channel).toMatch(/^distributed_session_[0-9a-f]{16}$/u);
        expect(BigInt.asIntN(63, lockSeed)).toBe(lockSeed);
      }),
    );
  });

  it('cuts no name off: each is at most 63 bytes long with the longest prefix', () => {
    const long = new SchemaNames('s', LONGEST_PREFIX);
    const sql = MIGRATIONS.flatMap(({ statements }) => statements(long)).join('\n');
    const identifiers = [...sql.matchAll(/"([^"]+)"/gu)].map(([, name]) => name!);
    expect(identifiers.filter((name) => name.startsWith(LONGEST_PREFIX)).length).toBeGreaterThan(30);
    expect(identifiers.filter((name) => Buffer.byteLength(name) > 63)).toEqual([]);
  });
});

describe('literal()', () => {
  it('keeps any text within its quotes, where backslashes mean nothing', () => {
    fc.assert(
      fc.property(schemas, (text) => {
        const [, quoted] = /^'((?:[^']|'')*)'$/u.exec(literal(text)) ?? [];
        expect(quoted?.replaceAll("''", "'")).toBe(text);
      }),
    );
  });
});
