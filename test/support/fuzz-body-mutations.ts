import * as fc from 'fast-check';
import { type FuzzRequest, type Mutation, changed } from './fuzz-request.js';
import { ANY_JSON, NASTY_TEXTS } from './openapi-arbitraries.js';

const WRONG_VALUES = [null, true, 0, -1, 1.5, 1e308, 2 ** 53, '', 'x', '7', [], {}, [[]], { a: 1 }, { length: 1 }];
const NUMBERS = ['1e999', '-1e999', '-0', '1.0000000000000001', '99999999999999999999', '-1', '1e308', '0.1', '1E3'];
const BODIES = [
  '',
  ' ',
  '{',
  '}',
  '[]',
  '[{}]',
  'null',
  'true',
  '1',
  '"text"',
  'NaN',
  '{"a":}',
  "{'a':1}",
  '{"a":1,}',
  '{}{}',
  '\ufeff{}',
  '\u0000',
  '{"a":"\u0001"}',
  '{"a":"\\ud800"}',
  '{"__proto__":{"a":1}}',
  '{"constructor":{"prototype":{}}}',
];

const index = fc.nat(7);

/** Mutations of the body: wrong values, missing, unknown and repeated fields, invalid JSON, too deep or too large. */
export const bodyMutations: fc.Arbitrary<Mutation> = fc.oneof(
  fc
    .tuple(index, fc.oneof(fc.constantFrom<unknown>(...WRONG_VALUES), ANY_JSON))
    .map(([at, value]) => onField('wrong value', at, (body, name) => ({ ...body, [name]: value }))),
  fc
    .tuple(index, fc.constantFrom(...NUMBERS))
    .map(([at, number]) =>
      onField('wrong number', at, (body, name) => JSON.stringify({ ...body, [name]: '#' }).replace('"#"', number)),
    ),
  index.map((at) =>
    onField('missing field', at, (body, name) =>
      Object.fromEntries(Object.entries(body).filter(([field]) => field !== name)),
    ),
  ),
  {
    arbitrary: fc
      .tuple(fc.constantFrom(...NASTY_TEXTS, 'unknown', 'LoginId'), ANY_JSON)
      .map(([name, value]) =>
        onField('unknown field', 0, (body) => Object.fromEntries([...Object.entries(body), [name, value]])),
      ),
    weight: 3,
  },
  index.map((at) =>
    onField('a field twice', at, (body, name) => JSON.stringify(body).replace('{', `{${JSON.stringify(name)}:1,`)),
  ),
  fc.constantFrom(...BODIES).map((body) => changed('another body', () => ({ body }))),
  fc.constant(changed('no body', () => ({ body: undefined }))),
  fc.constantFrom(65, 5_000, 60_000).map((depth) => changed('deep body', () => ({ body: deep(depth) }))),
  fc.constant(changed('large body', () => ({ body: JSON.stringify({ loginId: 'x'.repeat(300_000) }) }))),
);

/** Mutates one field of the body. A body that is no longer an object, or too deep to serialize, stays unchanged. */
function onField(what: string, at: number, to: (body: object, name: string) => string | object): Mutation {
  return changed(what, ({ body = '{}' }: FuzzRequest) => {
    try {
      const fields = JSON.parse(body) as object;
      const names = Object.keys(fields);
      const result = to(fields, names[at % Math.max(names.length, 1)] ?? 'value');
      return { body: typeof result === 'string' ? result : JSON.stringify(result) };
    } catch {
      return {};
    }
  });
}

function deep(depth: number): string {
  return `{"loginId":"x","value":0,"attributes":${'{"a":['.repeat(depth)}1${']}'.repeat(depth)}}`;
}
