import type { GuardedRequest } from './guarded-request.js';
import { AmbiguousCredentialError } from './request-credentials.js';

/** A prefix that browsers accept only under conditions. Attempts to get around it alter its punctuation. */
const PREFIX = /^__(?:host|secure|http)-/i;
const NO_LETTER_OR_DIGIT = /[^a-z0-9]/g;
const NO_NAME_CHARACTER = /[^a-z0-9_.-]/g;
/** A name that only its case and punctuation can make resemble another. */
const PLAIN = /^[\w.-]+$/;
/** A percent-encoded byte, encoded once or several times. */
const ENCODED_BYTE = /%(?:25)*([0-9a-f]{2})/gi;

/**
 * Returns the value of the session cookie, or `undefined`. Reads the header as RFC 6265bis does: `;` separates pairs,
 * and only spaces and tabs around names and values are ignored. Percent-encoding is undone.
 *
 * Rejects a cookie that was sent twice, and a cookie whose name merely resembles the session cookie's. A browser lets a
 * sibling host plant both, and lenient software in front of this process may read the second as the session cookie.
 */
export function singleCookie(request: GuardedRequest, name: string): string | undefined {
  const pairs = request.headerValues('cookie').flatMap((header) => header.split(';').map(toPair));
  const values = pairs.filter((pair) => pair.name === name).map(({ value }) => value);
  if (values.length > 1) throw new AmbiguousCredentialError(`The cookie ${name} was sent more than once.`);
  const ignored = ignoredIn(name);
  const skeleton = toSkeleton(name, ignored);
  if (pairs.some((pair) => pair.name !== name && resembles(pair.name, skeleton, ignored))) {
    throw new AmbiguousCredentialError(`A cookie whose name resembles ${name} was sent. Another host may have set it.`);
  }
  return values[0] === undefined ? undefined : decode(values[0].replace(/^"(.*)"$/, '$1'));
}

/**
 * Undoes the percent-encoding of cookie libraries, such as that of `response.cookie()`, once. It is unambiguous: a
 * credential contains no percent sign. A value that cannot be decoded is not one, and stays as it is.
 */
function decode(value: string): string {
  if (!value.includes('%')) return value;
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}

/** Returns whether a request with cookies of both names would be rejected. */
export function areConfusable(name: string, other: string): boolean {
  return name === other || rejects(name, other) || rejects(other, name);
}

function rejects(name: string, sent: string): boolean {
  return resembles(sent, toSkeleton(name, ignoredIn(name)), ignoredIn(name));
}

/**
 * Splits a pair at its first `=`. A pair without a name has, as its name, the text that other software could read as
 * one, with an `=` that distinguishes it: `=name=value` becomes `=name`, and `name` becomes `name=`.
 */
function toPair(text: string): { readonly name: string; readonly value: string } {
  const pair = trim(text);
  let nameStart = 0;
  while (pair[nameStart] === '=' || isOptionalWhitespace(pair[nameStart])) nameStart++;
  const separator = pair.indexOf('=', nameStart);
  if (separator < 0) return { name: `${pair}=`, value: '' };
  return { name: trim(pair.slice(0, separator)), value: trim(pair.slice(separator + 1)) };
}

/** What lenient software may ignore in a name. */
function ignoredIn(name: string): RegExp {
  return PREFIX.test(name) ? NO_LETTER_OR_DIGIT : NO_NAME_CHARACTER;
}

/** Returns whether a name equals the session cookie's once everything is removed that lenient software ignores. */
function resembles(name: string, skeleton: string, ignored: RegExp): boolean {
  if (PLAIN.test(name)) return name.length >= skeleton.length && name.toLowerCase().replace(ignored, '') === skeleton;
  const decoded = name.replace(ENCODED_BYTE, (_encoded, digits: string) => String.fromCharCode(parseInt(digits, 16)));
  if (toSkeleton(decoded, ignored) === skeleton) return true;
  // Node decodes headers as Latin-1, other software as UTF-8.
  const isAscii = /^[\0-\x7f]*$/.test(decoded);
  return !isAscii && toSkeleton(Buffer.from(decoded, 'latin1').toString('utf8'), ignored) === skeleton;
}

function toSkeleton(name: string, ignored: RegExp): string {
  return name.normalize('NFKC').toLowerCase().replace(ignored, '');
}

/** Removes optional whitespace: only spaces and tabs (RFC 9110 section 5.6.3). `String.trim()` removes more. */
function trim(text: string): string {
  let start = 0;
  let end = text.length;
  while (isOptionalWhitespace(text[start])) start++;
  while (end > start && isOptionalWhitespace(text[end - 1])) end--;
  return text.slice(start, end);
}

function isOptionalWhitespace(character: string | undefined): boolean {
  return character === ' ' || character === '\t';
}
