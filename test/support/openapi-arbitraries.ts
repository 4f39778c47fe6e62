import * as fc from 'fast-check';
import type { JsonSchema } from './openapi-operations.js';

/** Texts that often cause defects. */
export const NASTY_TEXTS = [
  '',
  ' ',
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  '../../etc/passwd',
  '..',
  '%2f%00',
  'a/b\\c',
  'nul\u0000byte',
  'line\r\nX-Injected: 1',
  '\u202egnitfel',
  'ﬀ İ ß 𝔘 👩‍👩‍👧‍👦',
  'e\u0301',
  "'; DROP TABLE sessions; --",
  '${7*7}<script>',
  '\ud800',
  'x\udc00',
  '\ud83d',
  'NaN',
  'null',
];

const MAX_LENGTH = 200;

/** Values that match a schema. `known` names values to prefer for a property over random ones. */
export function valuesOf(schema: JsonSchema, known: (name: string) => readonly string[]): fc.Arbitrary<unknown> {
  return new ValuesBySchema(known).of(schema, '');
}

/** Any code point, including lone surrogates. fast-check's own units are slow. */
const CODE_POINT = fc
  .oneof(fc.integer({ min: 0, max: 0xff }), fc.integer({ min: 0, max: 0x10_ffff }))
  .map((code) => String.fromCodePoint(code));
const TEXTS = fc.string({ unit: CODE_POINT, maxLength: 30, size: 'max' });
const GRAPHEMES = fc.string({ unit: 'grapheme', maxLength: 40, size: 'max' });

/** Any JSON value: small, wide, deep, long, or with prototype names. */
export const ANY_JSON: fc.Arbitrary<unknown> = fc.oneof(
  { arbitrary: fc.jsonValue({ stringUnit: CODE_POINT, maxDepth: 3 }), weight: 6 },
  { arbitrary: fc.constantFrom<unknown>(-0, 1e308, 5e-324, 2 ** 53, ...NASTY_TEXTS), weight: 3 },
  { arbitrary: fc.integer({ min: 1, max: 25 }).map(nested), weight: 1 },
  { arbitrary: fc.constantFrom(15_000, 16_382, 16_384, 70_000).map((length) => 'v'.repeat(length)), weight: 1 },
  { arbitrary: fc.constant(Array.from({ length: 3_000 }, () => 0)), weight: 1 },
);

function nested(depth: number): unknown {
  return depth === 0 ? 1 : { below: [nested(depth - 1)] };
}

class ValuesBySchema {
  constructor(private readonly known: (name: string) => readonly string[]) {}

  of(schema: JsonSchema, name: string): fc.Arbitrary<unknown> {
    const { oneOf, type } = schema;
    if (schema.enum) return fc.constantFrom(...schema.enum);
    if (oneOf) return fc.oneof(...oneOf.map((one) => this.of(one, name)));
    if (Array.isArray(type)) return fc.oneof(...type.map((one: string) => this.of({ ...schema, type: one }, name)));
    switch (type) {
      case 'null':
        return fc.constant(null);
      case 'boolean':
        return fc.boolean();
      case 'integer':
        return integers(schema);
      case 'number':
        return fc.double({ noNaN: true, noDefaultInfinity: true });
      case 'string':
        return this.#strings(schema, name);
      case 'array':
        return fc.array(this.of(schema.items ?? {}, name), { maxLength: Math.min(schema.maxItems ?? 5, 5) });
      case 'object':
        return this.#objects(schema);
      default:
        return ANY_JSON;
    }
  }

  #strings(schema: JsonSchema, name: string): fc.Arbitrary<string> {
    const random = stringsBy(schema);
    const known = this.known(name);
    if (known.length === 0) return random;
    return fc.oneof({ arbitrary: fc.constantFrom(...known), weight: 4 }, { arbitrary: random, weight: 1 });
  }

  #objects({ properties, required = [], additionalProperties }: JsonSchema): fc.Arbitrary<object> {
    if (properties) {
      const fields = Object.entries(properties).map(([name, below]) => [name, this.of(below, name)] as const);
      return fc.record(Object.fromEntries(fields), { requiredKeys: [...required] });
    }
    const below = typeof additionalProperties === 'object' ? this.of(additionalProperties, '') : ANY_JSON;
    const keys = this.#strings({ minLength: 1, maxLength: 128 }, 'key');
    return fc.dictionary(keys, below, { maxKeys: 4 });
  }
}

function stringsBy(schema: JsonSchema): fc.Arbitrary<string> {
  const { minLength = 0, maxLength = MAX_LENGTH, pattern, format } = schema;
  const fits = (text: string) => lengthOf(text) >= minLength && lengthOf(text) <= maxLength;
  if (format === 'uuid') return fc.uuid();
  const fixed = NASTY_TEXTS.filter((text) => fits(text) && new RegExp(pattern ?? '', 'u').test(text));
  const longest = 'x'.repeat(maxLength);
  const random =
    pattern === undefined
      ? fc.oneof(TEXTS.filter(fits), GRAPHEMES.filter(fits), fc.constant(longest))
      : fc.stringMatching(new RegExp(pattern)).filter(fits);
  return fixed.length === 0 ? random : fc.oneof(fc.constantFrom(...fixed), { arbitrary: random, weight: 2 });
}

/** JSON schema counts code points, not code units. */
function lengthOf(text: string): number {
  return Array.from(text).length;
}

function integers({ minimum = -1_000, maximum = 1_000 }: JsonSchema): fc.Arbitrary<number> {
  const near = fc.integer({ min: minimum, max: Math.min(maximum, minimum + 10_000) });
  return fc.oneof({ arbitrary: near, weight: 3 }, fc.constant(minimum), fc.constant(maximum));
}
