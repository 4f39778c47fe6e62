import { SessionInputError } from '../errors/session.errors.js';
import {
  type AttributeLimits,
  type AttributePatch,
  type JsonValue,
  type SessionAttributes,
  attributesFrom,
  isPlainObject,
} from '../model/attributes.js';
import { INPUT_LIMITS } from '../model/input-limits.js';
import { kindMismatch } from '../model/value-kind.js';
import { shownUnknown, unknownName } from '../options/unknown-name.js';
import { assertAttributeKey, assertListed, copyAttributeValue } from './attribute-value.js';

const PATCH_FIELDS = ['set', 'remove'];
const { maxRemovedKeys } = INPUT_LIMITS;

/** A patch with checked and copied keys and values. Limits on count and total size are checked when it is applied. */
export interface CheckedPatch {
  readonly set: ReadonlyMap<string, JsonValue>;
  readonly remove: ReadonlySet<string>;
}

export function checkPatch(patch: AttributePatch, limits: AttributeLimits): CheckedPatch {
  if (typeof patch !== 'object' || patch === null) {
    const expectation = 'must be an object, such as { set: { role: "admin" }, remove: ["cart"] }';
    throw new SessionInputError('patch', 'type', `${expectation}${kindMismatch(patch, 'an object')}.`);
  }
  const unknown = Object.keys(patch).find((name) => !PATCH_FIELDS.includes(name));
  if (unknown !== undefined) {
    const error = unknownName('field', unknown, PATCH_FIELDS, 'patch.');
    throw new SessionInputError(`patch.${shownUnknown(unknown, PATCH_FIELDS)}`, 'unknown-field', error);
  }
  const remove = new Set(checkKeys(patch.remove ?? [], limits));
  const set = checkAttributes(patch.set ?? {}, limits);
  const both = [...set.keys()].find((key) => remove.has(key));
  if (both !== undefined) {
    throw new SessionInputError(`attributes.${both}`, 'attribute-key', 'must not be in both set and remove.');
  }
  return { set, remove };
}

/**
 * Checks and copies attributes, key by key. Rejects more attributes than a session may have, or already has, before
 * reading any of them.
 */
export function checkAttributes(attributes: unknown, limits: AttributeLimits, existing = 0): Map<string, JsonValue> {
  if (!isPlainObject(attributes)) {
    const expectation = `must be a plain object of JSON values${kindMismatch(attributes, 'an object')}.`;
    throw new SessionInputError('attributes', 'type', expectation);
  }
  assertListed(attributes, 'attributes');
  const keys = Object.keys(attributes);
  if (keys.length > Math.max(limits.maxCount, existing)) throw tooMany(limits);
  const checked = new Map<string, JsonValue>();
  for (const key of keys) {
    assertAttributeKey(key, 'attribute key', limits);
    checked.set(key, copyAttributeValue(attributes[key], `attributes.${key}`, limits));
  }
  return checked;
}

function checkKeys(keys: unknown, limits: AttributeLimits): string[] {
  if (!Array.isArray(keys)) {
    const expectation = `must be an array of attribute keys${kindMismatch(keys, 'an array')}.`;
    throw new SessionInputError('patch.remove', 'type', expectation);
  }
  if (keys.length > maxRemovedKeys) {
    throw new SessionInputError(
      'patch.remove',
      'length',
      `must contain at most ${maxRemovedKeys} keys.`,
      maxRemovedKeys,
    );
  }
  return keys.map((key: unknown) => {
    assertAttributeKey(key, 'attribute key', limits);
    return key;
  });
}

/**
 * Returns the attributes after a patch, or the same object if the patch changes nothing.
 *
 * The limits on count and total size reject a patch that grows beyond them. Attributes that already exceed them, because
 * a service with higher limits wrote them, may still be changed and removed.
 */
export function applyPatch(
  current: SessionAttributes,
  patch: CheckedPatch,
  limits: AttributeLimits,
): SessionAttributes {
  const { maxCount, maxTotalBytes } = limits;
  const removed = [...patch.remove].some((key) => Object.hasOwn(current, key));
  if (patch.set.size === 0 && !removed) return current;
  const kept = Object.entries(current).filter(([key]) => !patch.remove.has(key));
  const next = attributesFrom([...kept, ...patch.set]);
  const count = Object.keys(next).length;
  if (count > maxCount && count > Object.keys(current).length) {
    throw tooMany(limits);
  }
  const bytes = jsonBytes(next);
  if (bytes > maxTotalBytes && bytes > jsonBytes(current)) {
    const expectation = `must be at most ${maxTotalBytes} bytes as JSON in total.`;
    throw new SessionInputError('attributes', 'attributes-total-size', expectation, maxTotalBytes);
  }
  return next;
}

/** States the limit only: the actual number includes attributes that the caller may not read. */
function tooMany({ maxCount }: AttributeLimits): SessionInputError {
  const expectation = `must have at most ${maxCount} keys.`;
  return new SessionInputError('attributes', 'attribute-count', expectation, maxCount);
}

export function jsonBytes(attributes: object): number {
  return Buffer.byteLength(JSON.stringify(attributes));
}
