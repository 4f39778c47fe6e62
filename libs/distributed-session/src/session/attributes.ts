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
