import * as fc from 'fast-check';
import { type Mutation, changed } from './fuzz-request.js';

const PATH_PIECES = [
  '%',
  '%00',
  '%2f',
  '%2F..%2f',
  '/',
  '//',
  '/..',
  '/.',
  ';x=1',
  '\\',
  '%5c',
  '%ff',
  '%c3%28',
  '%zz',
  '%ud800',
  '%0d%0aX-Injected:1',
  '%3f',
  '%23',
  '~',
  'A',
  '*',
  ':',
  '{}',
  '"',
  "'",
  '\u00e9',
  '\u0080',
  'a'.repeat(5_000),
];
const QUERIES = [
  '%',
  '&',
  '=',
  '?',
  'a',
  '&&&',
  '%zz=1',
  'touch=%',
  'a[b]=c',
  'a[]=1',
  '__proto__=1',
  '__proto__[x]=1',
  'constructor=1',
  'touch',
  'limit',
  'cursor=%00',
  'x=1;y=2',
];
const QUERY_NAMES = [
  'limit',
  'touch',
  'cursor',
  'type',
  'reason',
  'actor',
  'except',
  'device',
  'loginId',
  'sessionId',
  'serviceId',
  'lastEventId',
  'unknown',
];
const QUERY_VALUES = [
  '',
  'NaN',
  '-1',
  '0',
  '1e308',
  '1e3',
  '0x10',
  '01',
  '%201',
  '1.0',
  '99999999999999999999',
  'TRUE',
  '1',
  'undefined',
  'null',
  '%00',
  '%ed%a0%80',
  '%ff',
  'x'.repeat(600),
];

const index = fc.nat(40);
const bytes = fc.array(fc.integer({ min: 0x21, max: 0xff }), { minLength: 1, maxLength: 6 });

/** Mutations of the path: pieces that confuse routers and decoders, random bytes, and truncation. */
export const pathMutations: fc.Arbitrary<Mutation> = fc.oneof(
  fc.tuple(index, fc.constantFrom(...PATH_PIECES)).map(([at, piece]) => inserted('piece in the path', at, piece)),
  fc.tuple(index, bytes.map(textOf)).map(([at, piece]) => inserted('bytes in the path', at, piece)),
  fc.constant(changed('slash at the end', ({ path }) => ({ path: `${path}/` }))),
  fc.constant(changed('path in capitals', ({ path }) => ({ path: path.toUpperCase() }))),
  index.map((at) => changed('shorter path', ({ path }) => ({ path: path.slice(0, 1 + at) }))),
);

/** Mutations of the query: wrong, unknown, repeated and malformed parameters. */
export const queryMutations: fc.Arbitrary<Mutation> = fc.oneof(
  fc
    .tuple(fc.nat(3), fc.constantFrom(...QUERY_VALUES))
    .map(([at, value]) => changed('wrong value in the query', ({ query }) => ({ query: withValue(query, at, value) }))),
  fc
    .tuple(fc.constantFrom(...QUERY_NAMES), fc.constantFrom(...QUERY_VALUES))
    .map(([name, value]) => changed('wrong query', ({ query }) => ({ query: joined(query, `${name}=${value}`) }))),
  fc.constantFrom(...QUERIES).map((more) => changed('another query', ({ query }) => ({ query: joined(query, more) }))),
  fc.constantFrom(...QUERY_NAMES).map((name) =>
    changed('repeated query', ({ query }) => {
      const once = query === '' ? `${name}=1` : query;
      return { query: joined(once, once) };
    }),
  ),
);

function inserted(what: string, at: number, piece: string): Mutation {
  return changed(what, ({ path }) => ({ path: `/${path.slice(1, 1 + at)}${piece}${path.slice(1 + at)}` }));
}

/** Random bytes in a path, without the beginning of a query or a fragment. */
function textOf(some: readonly number[]): string {
  return String.fromCharCode(...some).replaceAll(/[?#]/g, '');
}

/** The query with one parameter's value replaced. */
function withValue(query: string, at: number, value: string): string {
  const pairs = query.split('&');
  const chosen = at % pairs.length;
  return pairs.map((pair, one) => (one === chosen ? pair.replace(/=.*|$/s, `=${value}`) : pair)).join('&');
}

function joined(query: string, more: string): string {
  return query === '' ? more : `${query}&${more}`;
}
