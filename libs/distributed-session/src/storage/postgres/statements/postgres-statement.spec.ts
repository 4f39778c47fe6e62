import { readdirSync } from 'node:fs';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { SchemaNames } from '../schema/schema-names.js';
import { PostgresStatement } from './postgres-statement.js';

const names = new SchemaNames('public', 'distributed_');
/** PostgreSQL cuts longer names off: two statements could get one name. */
const MAX_NAME_BYTES = 63;

const statement = new PostgresStatement({
  name: 'try-it',
  params: ['amount', 'payload'],
  text: ({ session }, $) => `SELECT ${$.payload}, ${$.amount}, ${$.payload} FROM ${session}`,
});

const all: PostgresStatement[] = [];

beforeAll(async () => {
  const files = readdirSync(import.meta.dirname).filter((name) => name.endsWith('.statement.ts'));
  // One after the other: what several import at once, Jest may not have yet.
  for (const file of files) {
    const module = (await import(`./${file}`)) as Record<string, PostgresStatement>;
    all.push(...Object.values(module));
  }
});

describe('PostgresStatement', () => {
  it('has its parameters in their order, wherever the text uses them and however they are given', () => {
    const payload = Buffer.from([0xff, 0x00]);
    expect(statement.prepare(names).text).toBe('SELECT $2, $1, $2 FROM "public"."distributed_session"');
    expect(statement.pack({ payload, amount: 7 })).toEqual([7, payload]);
    expect(statement.pack({ payload, amount: 7 })[1]).toBe(payload);
  });

  it('is read-only only where it says so', () => {
    expect(statement.isReadOnly).toBe(false);
    expect(
      new PostgresStatement({ name: 'look', isReadOnly: true, params: [], text: () => 'SELECT 1' }).isReadOnly,
    ).toBe(true);
  });

  it('has one name for one text, and another for the text of other tables or of another release', () => {
    const { name } = statement.prepare(names);
    expect(name).toMatch(/^distributed-session:try-it:[0-9a-f]{8}$/u);
    expect(statement.prepare(new SchemaNames('public', 'distributed_')).name).toBe(name);
    const later = new PostgresStatement({ name: 'try-it', params: [], text: () => 'SELECT 1' });
    const others = [statement.prepare(new SchemaNames('other', 'distributed_')), later.prepare(names)];
    expect(new Set([name, ...others.map((other) => other.name)]).size).toBe(3);
  });
});

describe('the statements', () => {
  it('have names of their own that are not cut off', () => {
    expect(all.length).toBeGreaterThan(20);
    expect(new Set(all.map(({ name }) => name)).size).toBe(all.length);
    const prepared = all.map((each) => each.prepare(names).name);
    expect(prepared.filter((name) => Buffer.byteLength(name) > MAX_NAME_BYTES)).toEqual([]);
  });

  it('use each of their parameters, and no other', () => {
    for (const each of all) {
      const places = [...each.prepare(names).text.matchAll(/\$(\d+)/gu)].map(([, place]) => Number(place));
      const used = [...new Set(places)].toSorted((a, b) => a - b);
      expect([each.name, used]).toEqual([each.name, each.pack({}).map((_, index) => index + 1)]);
      expect([each.name, each.prepare(names).text.includes('undefined')]).toEqual([each.name, false]);
    }
  });
});
