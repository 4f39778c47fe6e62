import { inspect } from 'node:util';

/** In the place of a text that must be there and is never printed. */
export const HIDDEN = Symbol('…');

/** What an answer must hold. It may hold more: fields that are not named here are not looked at. */
export type Expected =
  null | boolean | number | string | typeof HIDDEN | readonly Expected[] | { readonly [field: string]: Expected };

/** The fields whose values let somebody act as the user or as a service. */
const SECRET_FIELDS = ['credential', 'token', 'secret'];

/** Whether an answer holds all that is expected. A list must have as many entries, in any order. */
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

/** Whether each expected entry has an entry of its own. */
function matchesEach(actual: readonly unknown[], expected: readonly Expected[]): boolean {
  const left = [...actual];
  return expected.every((entry) => {
    const index = left.findIndex((candidate) => matches(candidate, entry));
    return index >= 0 && left.splice(index, 1).length === 1;
  });
}

/** An answer, or what of it is expected, on one line and without secrets. */
export function describeAnswer(answer: unknown): string {
  return inspect(concealed(answer), { depth: 6, breakLength: Infinity, compact: true }).replaceAll("'…'", '…');
}

function concealed(value: unknown): unknown {
  if (value === HIDDEN) return '…';
  if (Array.isArray(value)) return value.map(concealed);
  if (typeof value !== 'object' || value === null) return value;
  const fields = Object.entries(value);
  return Object.fromEntries(fields.map(([name, held]) => [name, SECRET_FIELDS.includes(name) ? '…' : concealed(held)]));
}

function isList(expected: Expected & object): expected is readonly Expected[] {
  return Array.isArray(expected);
}
