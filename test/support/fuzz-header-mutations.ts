import * as fc from 'fast-check';
import { type FuzzRequest, type Mutation, changed, isInHeader } from './fuzz-request.js';

const NAMES = [
  'if-match',
  'idempotency-key',
  'last-event-id',
  'x-request-id',
  'accept',
  'if-none-match',
  'x-http-method-override',
  'x-forwarded-for',
  'origin',
  'range',
  'cookie',
];
const VALUES = [
  '*',
  '',
  '"0"',
  'W/"1"',
  '"1","2"',
  '1',
  '-1',
  '"1e3"',
  'NaN',
  '__proto__',
  'text/html',
  '\u00ff\u00fe',
  'DELETE',
  'bytes=0-1',
  '127.0.0.1, ::1',
  'x'.repeat(300),
];
const CONTENT_TYPES = [
  'text/plain',
  'application/x-www-form-urlencoded',
  'multipart/form-data',
  'application/json; charset=utf-16',
  'application/json;charset=utf-8',
  'APPLICATION/JSON',
  'application/json, text/plain',
  'application/merge-patch+json',
  'application/jsonx',
  '*/*',
  '',
];
const CONTENT_ENCODINGS = ['gzip', 'deflate', 'br', 'identity', 'gzip, identity', 'x'];

const bytes = fc.array(fc.integer({ min: 0x20, max: 0xff }), { minLength: 1, maxLength: 20 });
const values = fc.oneof(
  fc.constantFrom(...VALUES),
  bytes.map((some) => String.fromCharCode(...some)).filter(isInHeader),
);

/** Mutations of the headers: wrong and repeated ones, other content types and encodings. */
export const headerMutations: fc.Arbitrary<Mutation> = fc.oneof(
  fc.tuple(fc.constantFrom(...NAMES), values).map(([name, value]) => set('wrong header', name, value)),
  fc
    .tuple(fc.constantFrom(...NAMES, 'content-type'), values)
    .map(([name, value]) => set('header twice', name, [value, '"1"'])),
  fc.constantFrom(...CONTENT_TYPES).map((type) => set('content type', 'content-type', type)),
  fc.constantFrom(...CONTENT_ENCODINGS).map((encoding) => set('content encoding', 'content-encoding', encoding)),
  fc.constant(changed('no headers', () => ({ headers: {} }))),
);

/** The headers with one of them replaced. */
export function withHeader(
  headers: FuzzRequest['headers'],
  name: string,
  value: string | string[],
): Pick<FuzzRequest, 'headers'> {
  const others = Object.entries(headers).filter(([given]) => given.toLowerCase() !== name);
  return { headers: { ...Object.fromEntries(others), [name]: value } };
}

function set(what: string, name: string, value: string | string[]): Mutation {
  return changed(what, ({ headers }) => withHeader(headers, name, value));
}
