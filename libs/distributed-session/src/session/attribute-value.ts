import { SessionInputError } from '../errors/session.errors.js';
import { type AttributeLimits, type JsonValue, isPlainObject } from '../model/attributes.js';
import { kindMismatch } from '../model/value-kind.js';

/** What a text must be, because a lone surrogate has no encoding in UTF-8. */
const WELL_FORMED = 'well-formed Unicode, without lone surrogates';
/** JSON.stringify() writes a number with an exponent from here on. */
const FIRST_FLOAT = 1e21;

/**
 * Returns a deeply frozen copy of a value, after checking that it is JSON and within the limits.
 *
 * The check works on the copy, so a getter or a proxy cannot return another value to the write than to the check. The
 * walk stops as soon as the value is certainly too large.
 */
export function copyAttributeValue(value: unknown, field: string, limits: AttributeLimits): JsonValue {
  const copy = copyOf(value, field, limits);
  const bytes = Buffer.byteLength(JSON.stringify(copy));
  if (bytes > limits.maxValueBytes) throw tooLarge(field, limits);
  return copy;
}

function copyOf(value: unknown, field: string, limits: AttributeLimits): JsonValue {
  try {
    return new JsonCopier(field, limits).copy(value, field, 0);
  } catch (error) {
    if (error instanceof SessionInputError) throw error;
    throw notJson(field, 'it cannot be read');
  }
}

/** Checks one attribute key. */
export function assertAttributeKey(key: unknown, field: string, limits: AttributeLimits): asserts key is string {
  if (typeof key !== 'string' || key === '') {
    throw new SessionInputError(field, 'attribute-key', `must be a non-empty string${kindMismatch(key, 'a string')}.`);
  }
  if (key.length > limits.maxKeyLength) {
    const expectation = `must be at most ${limits.maxKeyLength} characters long, not ${key.length}.`;
    throw new SessionInputError(field, 'attribute-key-length', expectation, limits.maxKeyLength);
  }
  if (!key.isWellFormed()) throw new SessionInputError(field, 'attribute-key', `must be ${WELL_FORMED}.`);
}

/** Rejects an object with properties that JSON leaves out: symbols, and properties that are not enumerable. */
export function assertListed(value: object, path: string): void {
  if (Reflect.ownKeys(value).length === Object.keys(value).length) return;
  throw notExact(path, 'it has properties that JSON leaves out, such as symbols');
}

class JsonCopier {
  readonly #ancestors = new Set<object>();
  /** The remaining size, overestimated: each value takes at least one byte, each string at least its length. */
  #budget: number;

  constructor(
    private readonly root: string,
    private readonly limits: AttributeLimits,
  ) {
    this.#budget = limits.maxValueBytes;
  }

  copy(value: unknown, path: string, depth: number): JsonValue {
    this.#spend(1);
    if (value === null || typeof value === 'boolean') return value;
    if (typeof value === 'string') {
      this.#spend(value.length);
      if (!value.isWellFormed()) throw notExact(path, `a text must be ${WELL_FORMED}`);
      return value;
    }
    if (typeof value === 'number') return exactNumber(value, path);
    if (typeof value !== 'object') throw notJson(path, `a value of type ${typeof value} has no JSON representation`);
    return this.#copyObject(value, path, depth + 1);
  }

  #copyObject(value: object, path: string, depth: number): JsonValue {
    if (this.#ancestors.has(value)) throw notJson(path, 'it contains a circular reference');
    if (depth > this.limits.maxDepth) {
      const expectation = `must be nested at most ${this.limits.maxDepth} levels deep.`;
      throw new SessionInputError(this.root, 'attribute-depth', expectation, this.limits.maxDepth);
    }
    this.#ancestors.add(value);
    const copy = Array.isArray(value) ? this.#copyArray(value, path, depth) : this.#copyRecord(value, path, depth);
    this.#ancestors.delete(value);
    return Object.freeze(copy);
  }

  #copyArray(value: readonly unknown[], path: string, depth: number): JsonValue[] {
    this.#spend(value.length);
    // Besides its elements, an array has a length.
    if (Reflect.ownKeys(value).length > value.length + 1)
      throw notExact(path, 'it has properties besides its elements');
    return Array.from(value, (item, index) => this.copy(item, `${path}[${index}]`, depth));
  }

  #copyRecord(value: object, path: string, depth: number): Record<string, JsonValue> {
    if (!isPlainObject(value)) {
      throw notJson(path, 'it is a class instance; use a plain object or a string, such as date.toISOString()');
    }
    assertListed(value, path);
    const copy: Record<string, JsonValue> = {};
    for (const [key, item] of Object.entries(value)) {
      this.#spend(key.length);
      if (!key.isWellFormed()) throw notExact(path, `its names must be ${WELL_FORMED}`);
      const copied = this.copy(item, `${path}.${key}`, depth);
      // Assigning `__proto__` would change the prototype instead of adding a key.
      Object.defineProperty(copy, key, { value: copied, enumerable: true, configurable: true, writable: true });
    }
    return copy;
  }

  #spend(bytes: number): void {
    this.#budget -= bytes;
    if (this.#budget < 0) throw tooLarge(this.root, this.limits);
  }
}

/** JSON has one zero, and other readers keep whole numbers only up to 2^53 - 1. From 1e21 on, JSON writes a float. */
function exactNumber(value: number, path: string): number {
  if (!Number.isFinite(value)) throw notJson(path, `${value} has no JSON representation; use null or a string`);
  if (Object.is(value, -0)) throw notExact(path, '-0 would become 0; use 0');
  if (Number.isInteger(value) && !Number.isSafeInteger(value) && Math.abs(value) < FIRST_FLOAT) {
    throw notExact(path, `whole numbers beyond ${Number.MAX_SAFE_INTEGER} lose digits; use a string`);
  }
  return value;
}

function notExact(path: string, reason: string): SessionInputError {
  return new SessionInputError(path, 'attribute-value', `is not a value that JSON keeps exactly: ${reason}.`);
}

function notJson(path: string, reason: string): SessionInputError {
  return new SessionInputError(path, 'attribute-value', `is not a JSON value: ${reason}.`);
}

function tooLarge(field: string, { maxValueBytes }: AttributeLimits): SessionInputError {
  const expectation = `must be at most ${maxValueBytes} bytes as JSON.`;
  return new SessionInputError(field, 'attribute-value-size', expectation, maxValueBytes);
}
