import { inspect } from 'node:util';

/** Matches any non-empty text, which is never printed. */
export const HIDDEN = Symbol('…');

/** The expected content of a response. Fields that are not named here are ignored. */
export type Expected =
  null | boolean | number | string | typeof HIDDEN | readonly Expected[] | { readonly [field: string]: Expected };

/** Fields whose values authenticate a user or a service. */
const SECRET_FIELDS = ['credential', 'token', 'secret'];

/** Whether a response contains everything expected. A list must have as many entries, in any order. */
export function matches(actual: unknown, expected: Expected): boolean {
  if (expected === HIDDEN) return typeof actual === 'string' && actual !== '';
  if (typeof expected !== 'object' || expected === null) return actual === expected;
  if (isList(expected)) {
    return Array.isArray(actual) && actual.length === expected.length && matchesEach(actual, expected);
  }
  if (typeof actual !== 'object' || actual === null) return false;
  const fields = actual as Readonly<Record<string, unknown>>;
  return Object.entries(expected).every(([name, value]) => matches(fields[name], value));
}

/** Whether each expected entry matches a different actual entry. */
function matchesEach(actual: readonly unknown[], expected: readonly Expected[]): boolean {
  const left = [...actual];
  return expected.every((entry) => {
    const index = left.findIndex((candidate) => matches(candidate, entry));
    return index >= 0 && left.splice(index, 1).length === 1;
  });
}

/** A response, or an expectation, on one line and without secrets. */
export function describeResponse(response: unknown): string {
  return inspect(redacted(response), { depth: 6, breakLength: Infinity, compact: true }).replaceAll("'…'", '…');
}

function redacted(value: unknown): unknown {
  if (value === HIDDEN) return '…';
  if (Array.isArray(value)) return value.map(redacted);
  if (typeof value !== 'object' || value === null) return value;
  const fields = Object.entries(value);
  return Object.fromEntries(fields.map(([name, held]) => [name, SECRET_FIELDS.includes(name) ? '…' : redacted(held)]));
}

function isList(expected: Expected & object): expected is readonly Expected[] {
  return Array.isArray(expected);
}
