/** A JSON value as a session returns it: deeply read-only. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | { readonly [key: string]: JsonValue };

/**
 * A session's attributes: JSON values under string keys, as a deeply frozen object that behaves like any other. Attributes
 * named `__proto__` or `constructor` are its own properties and change nothing else. As in any object, a name that is not
 * set may be inherited: look up a name that a client chose with `Object.hasOwn()`.
 */
export type SessionAttributes = Readonly<Record<string, JsonValue>>;

/**
 * An attribute value as a caller writes it. A write rejects what JSON cannot keep exactly (RFC 7493): `undefined`,
 * functions, symbols, BigInt, NaN, -0, whole numbers beyond 2^53 - 1, texts with lone surrogates, cycles, sparse arrays,
 * and class instances such as `Date`.
 */
export type AttributeValue = null | boolean | number | string | object;

/** Attributes as a caller writes them. */
export type AttributeInput = Readonly<Record<string, AttributeValue>>;

/**
 * A change to some attributes. All other attributes keep their values, even if other services write them at the same
 * time.
 *
 * @example
 * const patch: AttributePatch = { set: { 'order.last': 'A-17' }, remove: ['cart'] };
 */
export interface AttributePatch {
  /** Keys to set. */
  readonly set?: AttributeInput;
  /** Keys to remove. Keys that are not set are ignored. A key must not be in both `set` and `remove`. */
  readonly remove?: readonly string[];
}

export const NO_ATTRIBUTES: SessionAttributes = Object.freeze({});

/**
 * Returns the frozen attributes with these entries. Each becomes an own property: assigning `__proto__` would change the
 * prototype instead.
 */
export function attributesFrom(entries: Iterable<readonly [string, JsonValue]>): SessionAttributes {
  return Object.freeze(Object.fromEntries(entries));
}

/** Returns an attribute, or `undefined` if it is not set: also for a name that every object inherits. */
export function attributeOf(attributes: SessionAttributes, key: string): JsonValue | undefined {
  return Object.hasOwn(attributes, key) ? attributes[key] : undefined;
}

/**
 * The limits of a session's attributes. A write that exceeds one throws `SessionInputError` and changes nothing.
 *
 * @example
 * DistributedSessionModule.forRoot({ serviceId: 'order', storage, attributeLimits: { maxCount: 20 } });
 */
export interface AttributeLimits {
  /** Length of a key, in UTF-16 code units. @default 128 */
  readonly maxKeyLength: number;
  /** Size of one value as JSON, in bytes of UTF-8. @default 16_384 */
  readonly maxValueBytes: number;
  /** Number of attributes of a session. @default 100 */
  readonly maxCount: number;
  /** Size of all attributes as one JSON object, in bytes of UTF-8. @default 65_536 */
  readonly maxTotalBytes: number;
  /** Nesting of arrays and objects; a plain value has depth 0. At most 100. @default 16 */
  readonly maxDepth: number;
}

/**
 * The attribute limits that apply unless the options override them.
 *
 * @example
 * const attributeLimits = { maxCount: DEFAULT_ATTRIBUTE_LIMITS.maxCount * 2 };
 */
export const DEFAULT_ATTRIBUTE_LIMITS: AttributeLimits = Object.freeze({
  maxKeyLength: 128,
  maxValueBytes: 16_384,
  maxCount: 100,
  maxTotalBytes: 65_536,
  maxDepth: 16,
});

/**
 * Returns whether a value is an object literal, of any realm: `Object.prototype` has no prototype itself, whereas the
 * prototype of a class, a `Map` or a `Date` has one.
 */
export function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
