import { ServiceInputError } from '../errors/service.errors.js';
import { shownName } from '../model/shown-name.js';
import { INPUT_LIMITS } from '../model/input-limits.js';
import { kindMismatch } from '../model/value-kind.js';

/** The permissions that this library checks. Applications may define their own names, such as `order.refund`. */
export const SESSION_PERMISSIONS = [
  'session.create',
  'session.read',
  'session.write',
  'session.delete',
  'session.list',
  'session.impersonate',
  'service.read',
  'service.manage',
] as const;

/** The permissions that may be narrowed to attributes, as in `session.read:cart.*`. */
const NARROWABLE = ['session.read', 'session.write'];
const NAME = /^(?:\*|[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*(?:\.\*)?)$/;
const MAX_LENGTH = INPUT_LIMITS.maxPermissionLength;
const WILDCARD = '*';

/**
 * A parsed permission: a dot-separated name whose last segment may be the wildcard `*`. `session.read` and
 * `session.write` may be narrowed to attributes, written in the same notation after a colon.
 */
export interface Permission {
  readonly text: string;
  /** The segments of the name. */
  readonly name: readonly string[];
  /** The segments of the attribute pattern. Absent: all attributes. */
  readonly attributes?: readonly string[];
}

/**
 * Parses a permission.
 *
 * @param field - The argument's name, for the error.
 * @throws {ServiceInputError} when the text is not a valid permission.
 */
export function parsePermission(text: unknown, field = 'permission'): Permission {
  if (typeof text !== 'string' || text === '' || text.length > MAX_LENGTH) {
    const expectation = `must be a string of 1 to ${MAX_LENGTH} characters${kindMismatch(text, 'a string')}.`;
    throw new ServiceInputError(field, expectation, MAX_LENGTH);
  }
  const colon = text.indexOf(':');
  const name = colon < 0 ? text : text.slice(0, colon);
  if (!NAME.test(name)) {
    throw new ServiceInputError(
      field,
      `'${shownName(text)}' is not a valid permission. Use dot-separated names, such as 'session.read' or 'session.*'.`,
    );
  }
  if (colon < 0) return { text, name: name.split('.') };
  if (!NARROWABLE.includes(name)) {
    throw new ServiceInputError(
      field,
      `'${shownName(text)}' is not a valid permission. Only ${NARROWABLE.join(' and ')} can be narrowed to attributes.`,
    );
  }
  return { text, name: name.split('.'), ...parseAttributes(text.slice(colon + 1), text, field) };
}

/** Returns whether a text is a permission in the notation of this release. */
export function isPermission(text: string): boolean {
  try {
    parsePermission(text);
    return true;
  } catch {
    return false;
  }
}

function parseAttributes(pattern: string, text: string, field: string): Pick<Permission, 'attributes'> {
  const segments = pattern.split('.');
  const hasMisplacedWildcard =
    segments.slice(0, -1).includes(WILDCARD) || segments.some((s) => s !== WILDCARD && s.includes(WILDCARD));
  // No attribute has a key with a lone surrogate.
  if (pattern === '' || hasMisplacedWildcard || !pattern.isWellFormed()) {
    throw new ServiceInputError(
      field,
      `'${shownName(text)}' has an invalid attribute pattern. Use an attribute key, or a prefix followed by '.*'.`,
    );
  }
  return pattern === WILDCARD ? {} : { attributes: segments };
}

/**
 * Returns whether a valid permission is in this library's namespaces, in any case, but not one of its permissions. Such
 * a permission is misspelt: nothing checks it.
 */
export function isUnknownPermission(text: string): boolean {
  const { name } = parsePermission(text);
  const isOurs = SESSION_PERMISSIONS.some((known) => known.split('.')[0] === name[0]!.toLowerCase());
  return isOurs && !SESSION_PERMISSIONS.some((known) => coversSegments(name, known.split('.')));
}

/** The parsed permissions of one service. */
export class PermissionSet {
  readonly #granted: readonly Permission[];

  /** @throws {ServiceInputError} when a text is not a valid permission. */
  constructor(permissions: readonly string[]) {
    this.#granted = permissions.map((text, index) => parsePermission(text, `permissions[${index}]`));
  }

  /** Returns whether one permission grants all of `required`. A narrowed permission does not grant the whole one. */
  grants(required: Permission): boolean {
    return this.#granted.some((granted) => covers(granted, required));
  }

  /** Returns whether `required` is granted for at least some attributes. */
  grantsForSomeAttributes(required: Permission): boolean {
    return this.#granted.some((granted) => coversForSomeAttributes(granted, required));
  }

  /** Returns whether a narrowable permission is granted for this attribute. */
  grantsAttribute(required: Permission, key: string): boolean {
    return this.grants({ ...required, attributes: key.split('.') });
  }
}

/** Returns whether `granted` includes all of `required`. Only whole segments match. */
export function covers(granted: Permission, required: Permission): boolean {
  if (!coversSegments(granted.name, required.name)) return false;
  if (granted.attributes === undefined) return true;
  return required.attributes !== undefined && coversSegments(granted.attributes, required.attributes);
}

/** Returns whether `granted` includes the named permission for at least some attributes. */
export function coversForSomeAttributes(granted: Permission, required: Permission): boolean {
  return coversSegments(granted.name, required.name);
}

function coversSegments(granted: readonly string[], required: readonly string[]): boolean {
  for (const [index, segment] of granted.entries()) {
    if (segment === WILDCARD && index === granted.length - 1) return required.length > index;
    if (segment !== required[index]) return false;
  }
  return granted.length === required.length;
}
