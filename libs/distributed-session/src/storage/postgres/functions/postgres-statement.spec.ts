import { describe, expect, it } from '@jest/globals';
import { RowReader, UnreadableRowError } from '../records/row-reader.js';
import { SchemaNames } from '../schema/schema-names.js';
import * as statements from '../statements.js';
import { FUNCTIONS } from './functions.js';
import { PostgresStatement } from './postgres-statement.js';

const names = new SchemaNames('public', 'distributed_');
/** PostgreSQL truncates longer names: two statements could get the same name. */
const MAX_NAME_BYTES = 63;

const statement = new PostgresStatement({
  name: 'try-it',
  params: ['amount', 'payload'],
  returns: { id: 'text', count: 'bigint', isLate: 'boolean', stored: '{session}' },
  text: 'SELECT :payload::bytea, :amount, :payload FROM {session}',
});

describe('PostgresStatement', () => {
  it('passes its parameters in order, wherever the text uses them and in whatever order they are given', () => {
    const payload = Buffer.from([0xff, 0x00]);
    expect(statement.prepare(names).text).toBe('SELECT $2::bytea, $1, $2 FROM "public"."distributed_session"');
    expect(statement.pack({ payload, amount: 7 })).toEqual([7, payload]);
    expect(statement.pack({ payload, amount: 7 })[1]).toBe(payload);
  });

  it('rejects a text with an undeclared parameter', () => {
    const definition = { name: 'x', params: [], returns: 'void', text: 'SELECT :amount' } as const;
    expect(() => new PostgresStatement(definition)).toThrow('The statement x has no parameter "amount".');
  });

  it('reads its columns by their types, and leaves a stored row to its own reader', () => {
    const { stored, ...columns } = statement.parse(['a', '7', 't', 'first column']);
    expect(columns).toEqual({ id: 'a', count: 7, isLate: true });
    expect(stored.text()).toBe('first column');
    expect(() => statement.parse(['a', 'x', 't'])).toThrow(UnreadableRowError);
  });

  it('reads a single column as its value', () => {
    const single = new PostgresStatement({ name: 'one', params: [], returns: 'integer', text: 'SELECT 7' });
    expect(single.parse(['7'])).toBe(7);
    const row = new PostgresStatement({ name: 'row', params: [], returns: '{session}', text: 'SELECT 7' });
    expect(row.parse(['7'])).toBeInstanceOf(RowReader);
  });

  it('is read-only only when it is declared so', () => {
    expect(statement.isReadOnly).toBe(false);
    const look = new PostgresStatement({
      name: 'look',
      isReadOnly: true,
      params: [],
      returns: 'text',
      text: 'SELECT 1',
    });
    expect(look.isReadOnly).toBe(true);
  });

  it('has one name for one text, and another for the text of other tables or of another release', () => {
    const { name } = statement.prepare(names);
    expect(name).toMatch(/^distributed-session:try-it:[0-9a-f]{8}$/u);
    expect(statement.prepare(new SchemaNames('public', 'distributed_')).name).toBe(name);
    const later = new PostgresStatement({ name: 'try-it', params: [], returns: 'text', text: 'SELECT 1' });
    const others = [statement.prepare(new SchemaNames('other', 'distributed_')), later.prepare(names)];
    expect(new Set([name, ...others.map((other) => other.name)]).size).toBe(3);
  });
});

describe('the statements and function calls', () => {
  const all: PostgresStatement[] = [...Object.values(statements as Record<string, PostgresStatement>), ...FUNCTIONS];

  it('have unique names that PostgreSQL does not truncate', () => {
    expect(all.length).toBeGreaterThan(20);
    expect(new Set(all.map(({ name }) => name)).size).toBe(all.length);
    const prepared = all.map((each) => each.prepare(names).name);
    expect(prepared.filter((name) => Buffer.byteLength(name) > MAX_NAME_BYTES)).toEqual([]);
  });

  it('use each of their parameters', () => {
    for (const each of all) {
      const places = [...each.prepare(names).text.matchAll(/\$(\d+)/gu)].map(([, place]) => Number(place));
      const used = [...new Set(places)].toSorted((a, b) => a - b);
      expect([each.name, used]).toEqual([each.name, each.pack({}).map((_, index) => index + 1)]);
      expect([each.name, each.prepare(names).text.includes('undefined')]).toEqual([each.name, false]);
    }
  });
});
