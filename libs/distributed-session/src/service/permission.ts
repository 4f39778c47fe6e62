import { ServiceInputError } from '../errors/service.errors.js';
import { INPUT_LIMITS } from '../model/input-limits.js';

/** The permissions that this library asks for. Applications may add names of their own, such as `order.refund`. */
export const SESSION_PERMISSIONS = [
  'session.create',
  'session.read',
  'session.write',
  'session.delete',
  'session.list',
  'service.read',
  'service.manage',
] as const;

/** Which permissions may be narrowed to attributes, as in `session.read:cart.*`. */
const NARROWABLE = ['session.read', 'session.write'];
const NAME = /^(?:\*|[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*(?:\.\*)?)$/;
const MAX_LENGTH = INPUT_LIMITS.maxPermissionLength;
const WILDCARD = '*';

/**
 * A permission: a dot-separated name, which a last `*` widens to all that begins so, and for `session.read` and
 * `session.write` the attributes it is narrowed to, in the same notation after a colon.
 */
export interface Permission {
  readonly text: string;
  readonly name: readonly string[];
  /** Absent: all attributes. */
  readonly attributes?: readonly string[];
}

/** Reads a permission; throws {@link ServiceInputError} that names `field`. */
export function parsePermission(text: unknown, field = 'permission'): Permission {
  if (typeof text !== 'string' || text === '' || text.length > MAX_LENGTH) {
    throw new ServiceInputError(field, `must be a string of 1 to ${MAX_LENGTH} characters.`, MAX_LENGTH);
  }
  const colon = text.indexOf(':');
  const name = colon < 0 ? text : text.slice(0, colon);
  if (!NAME.test(name)) {
    throw new ServiceInputError(
      field,
      `'${text}' is no permission. Write names and dots, such as 'session.read' or 'session.*'.`,
    );
  }
  if (colon < 0) return { text, name: name.split('.') };
  if (!NARROWABLE.includes(name)) {
    throw new ServiceInputError(field, `'${text}' narrows ${name}. Only ${NARROWABLE.join(' and ')} have attributes.`);
  }
  return { text, name: name.split('.'), ...parseAttributes(text.slice(colon + 1), text, field) };
}

function parseAttributes(pattern: string, text: string, field: string): Pick<Permission, 'attributes'> {
  const segments = pattern.split('.');
  const wildcardInside =
    segments.slice(0, -1).includes(WILDCARD) || segments.some((s) => s !== WILDCARD && s.includes(WILDCARD));
  if (pattern === '' || wildcardInside) {
    throw new ServiceInputError(field, `'${text}' names no attributes. Write a key, or a beginning and '.*'.`);
  }
  return pattern === WILDCARD ? {} : { attributes: segments };
}

/** Whether who holds `granted` holds `required` as well. Whole segments are compared, never parts of one. */
export function covers(granted: Permission, required: Permission): boolean {
  if (!coversSegments(granted.name, required.name)) return false;
  if (granted.attributes === undefined) return true;
  return required.attributes !== undefined && coversSegments(granted.attributes, required.attributes);
}

/** Whether `granted` gives the named permission for at least some attributes. */
export function coversPartly(granted: Permission, required: Permission): boolean {
  return coversSegments(granted.name, required.name);
}

function coversSegments(granted: readonly string[], required: readonly string[]): boolean {
  for (const [index, segment] of granted.entries()) {
    if (segment === WILDCARD && index === granted.length - 1) return required.length > index;
    if (segment !== required[index]) return false;
  }
  return granted.length === required.length;
}

/** The permissions of one service, parsed once and asked often. */
export class PermissionSet {
  readonly #granted: readonly Permission[];

  /** Throws {@link ServiceInputError} for a text that is no permission. */
  constructor(permissions: readonly string[]) {
    this.#granted = permissions.map((text, index) => parsePermission(text, `permissions[${index}]`));
  }

  /** Whether all of `required` is granted. A permission narrowed to attributes does not grant the whole one. */
  grants(required: Permission): boolean {
    return this.#granted.some((granted) => covers(granted, required));
  }

  /** Whether `required` is granted for some attributes at least. */
  grantsPartly(required: Permission): boolean {
    return this.#granted.some((granted) => coversPartly(granted, required));
  }

  /** Whether a permission that can be narrowed is granted for this attribute. */
  grantsAttribute(required: Permission, key: string): boolean {
    return this.grants({ ...required, attributes: key.split('.') });
  }
}
