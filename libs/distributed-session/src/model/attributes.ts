/** A JSON value, as it comes back from a session: deeply read-only. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | { readonly [key: string]: JsonValue };

/**
 * The attributes of a session: JSON values under string keys. The object has no prototype, so `__proto__` and
 * `constructor` are keys like any other, and it is deeply frozen.
 */
export type SessionAttributes = Readonly<Record<string, JsonValue>>;

/**
 * What may be written under a key. Objects and arrays must be JSON all the way down, which is checked when written:
 * no `undefined`, functions, symbols, BigInt, NaN, cycles or class instances such as `Date`.
 */
export type AttributeValue = null | boolean | number | string | object;

/** Attributes as a caller writes them. */
export type AttributeInput = Readonly<Record<string, AttributeValue>>;

/** A change to some attributes that leaves all others as they are, whoever writes them meanwhile. */
export interface AttributePatch {
  /** Keys to set. */
  readonly set?: AttributeInput;
  /** Keys to remove. A key that is not there is no error. A key may not be set and removed at once. */
  readonly remove?: readonly string[];
}

/** An empty set of attributes to fill: without a prototype, see {@link SessionAttributes}. */
export function emptyAttributes(): Record<string, JsonValue> {
  return Object.create(null) as Record<string, JsonValue>;
}

/** The bounds of attributes. A write that would break one is refused whole, before anything is sent. */
export interface AttributeLimits {
  /** Length of a key in UTF-16 code units. Default 128. */
  readonly maxKeyLength: number;
  /** Size of one value as JSON, in bytes of UTF-8. Default 16,384. */
  readonly maxValueBytes: number;
  /** How many attributes a session has. Default 100. */
  readonly maxCount: number;
  /** Size of all attributes as one JSON object, in bytes of UTF-8. Default 65,536. */
  readonly maxTotalBytes: number;
  /** How deep arrays and objects nest; a plain value is at depth 0. Default 16. */
  readonly maxDepth: number;
}

export const DEFAULT_ATTRIBUTE_LIMITS: AttributeLimits = Object.freeze({
  maxKeyLength: 128,
  maxValueBytes: 16_384,
  maxCount: 100,
  maxTotalBytes: 65_536,
  maxDepth: 16,
});

/** The object prototype of any realm has no prototype itself; a class, a Map or a Date has one that has. */
export function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
