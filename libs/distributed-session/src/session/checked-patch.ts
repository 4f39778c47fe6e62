import { SessionInputError } from '../errors/session.errors.js';
import {
  type AttributeLimits,
  type AttributePatch,
  type JsonValue,
  type SessionAttributes,
  emptyAttributes,
  isPlainObject,
} from '../model/attributes.js';
import { INPUT_LIMITS } from '../model/input-limits.js';
import { assertAttributeKey, copyAttributeValue } from './attribute-value.js';

const { maxRemovedKeys } = INPUT_LIMITS;

/** A patch whose keys and values have been checked and copied. What depends on the other attributes is checked when applied. */
export interface CheckedPatch {
  readonly set: ReadonlyMap<string, JsonValue>;
  readonly remove: ReadonlySet<string>;
}

export function checkPatch(patch: AttributePatch, limits: AttributeLimits): CheckedPatch {
  if (typeof patch !== 'object' || patch === null) {
    throw new SessionInputError(
      'patch',
      'type',
      'must be an object such as { set: { role: "admin" }, remove: ["cart"] }.',
    );
  }
  const unknown = Object.keys(patch).find((name) => name !== 'set' && name !== 'remove');
  if (unknown !== undefined) {
    throw new SessionInputError(`patch.${unknown}`, 'unknown-field', "is unknown; a patch has 'set' and 'remove'.");
  }
  const remove = new Set(checkKeys(patch.remove ?? [], limits));
  const set = checkAttributes(patch.set ?? {}, limits);
  const both = [...set.keys()].find((key) => remove.has(key));
  if (both !== undefined) {
    throw new SessionInputError(`attributes.${both}`, 'attribute-key', 'is both set and removed; do one of them.');
  }
  return { set, remove };
}

/**
 * Checks and copies whole attributes, key by key. More than a session may have, or has already, are refused before any
 * of them is looked at.
 */
export function checkAttributes(attributes: unknown, limits: AttributeLimits, existing = 0): Map<string, JsonValue> {
  if (!isPlainObject(attributes)) {
    throw new SessionInputError('attributes', 'type', 'must be a plain object of JSON values.');
  }
  const keys = Object.keys(attributes);
  if (keys.length > Math.max(limits.maxCount, existing)) throw tooMany(keys.length, limits);
  const checked = new Map<string, JsonValue>();
  for (const key of keys) {
    assertAttributeKey(key, 'attribute key', limits);
    checked.set(key, copyAttributeValue(attributes[key], `attributes.${key}`, limits));
  }
  return checked;
}

function checkKeys(keys: unknown, limits: AttributeLimits): string[] {
  if (!Array.isArray(keys)) throw new SessionInputError('patch.remove', 'type', 'must be an array of attribute keys.');
  if (keys.length > maxRemovedKeys) {
    throw new SessionInputError('patch.remove', 'length', `must name at most ${maxRemovedKeys} keys.`, maxRemovedKeys);
  }
  return keys.map((key: unknown) => {
    assertAttributeKey(key, 'attribute key', limits);
    return key;
  });
}

/**
 * The attributes after a patch, or the very same object when the patch changes nothing.
 *
 * The bounds on count and total size refuse a patch that grows beyond them. Attributes that were larger before,
 * written by a service with wider limits, may still be changed and removed.
 */
export function applyPatch(
  current: SessionAttributes,
  patch: CheckedPatch,
  limits: AttributeLimits,
): SessionAttributes {
  const { maxCount, maxTotalBytes } = limits;
  const removed = [...patch.remove].some((key) => Object.hasOwn(current, key));
  if (patch.set.size === 0 && !removed) return current;
  const next = Object.assign(emptyAttributes(), current);
  for (const key of patch.remove) delete next[key];
  for (const [key, value] of patch.set) next[key] = value;
  const count = Object.keys(next).length;
  if (count > maxCount && count > Object.keys(current).length) {
    throw tooMany(count, limits);
  }
  const bytes = jsonBytes(next);
  if (bytes > maxTotalBytes && bytes > jsonBytes(current)) {
    const expectation = `would take ${bytes} bytes as JSON; a session has at most ${maxTotalBytes}.`;
    throw new SessionInputError('attributes', 'attributes-total-size', expectation, maxTotalBytes);
  }
  return Object.freeze(next);
}

function tooMany(count: number, { maxCount }: AttributeLimits): SessionInputError {
  const expectation = `would be ${count}; a session has at most ${maxCount}.`;
  return new SessionInputError('attributes', 'attribute-count', expectation, maxCount);
}

function jsonBytes(attributes: SessionAttributes): number {
  return Buffer.byteLength(JSON.stringify(attributes));
}
