import { SessionInputError } from '../errors/session.errors.js';
import type { AttributeLimits, SessionAttributes } from '../model/attributes.js';
import { type CheckedPatch, applyPatch, jsonBytes } from './checked-patch.js';

/** The keys whose current values services with limited permissions wrote, by service id. */
export type AttributeWriters = Readonly<Record<string, readonly string[]>>;

/** A session's attributes, and who wrote them. */
export interface AttributeState {
  readonly attributes: SessionAttributes;
  readonly writers?: AttributeWriters;
}

/** The service that writes. Only one with limited permissions has a share. */
export interface AttributeAuthor {
  readonly serviceId: string;
  readonly isLimited: boolean;
}

/** The limits of all attributes, and the part of them that one service with limited permissions may use. */
export interface SharedLimits {
  readonly attributeLimits: AttributeLimits;
  readonly maxAttributeShare: number;
}

/**
 * Returns the state after a service's patch, or the same state if the patch changes nothing.
 *
 * An attribute counts towards the share of the service that wrote its current value. If it counted for its first writer,
 * another service could use up that one's share by enlarging its attributes.
 */
export function applyPatchAs(
  author: AttributeAuthor,
  current: AttributeState,
  patch: CheckedPatch,
  limits: SharedLimits,
): AttributeState {
  const attributes = applyPatch(current.attributes, patch, limits.attributeLimits);
  if (attributes === current.attributes) return current;
  const writers = writersAfter(current.writers, patch, author);
  const next = { attributes, ...(writers && { writers }) };
  if (author.isLimited) assertWithinShare(author.serviceId, current, next, limits);
  return next;
}

function writersAfter(
  writers: AttributeWriters = {},
  { set, remove }: CheckedPatch,
  { serviceId, isLimited }: AttributeAuthor,
): AttributeWriters | undefined {
  const kept = Object.entries(writers).map(
    ([writer, keys]) => [writer, keys.filter((key) => !set.has(key) && !remove.has(key))] as const,
  );
  const own = kept.find(([writer]) => writer === serviceId)?.[1] ?? [];
  const others = kept.filter(([writer]) => writer !== serviceId);
  const all = [...others, [serviceId, isLimited ? [...own, ...set.keys()] : own] as const];
  const used = all.filter(([, keys]) => keys.length > 0);
  // `fromEntries` makes `__proto__` an own property.
  return used.length === 0 ? undefined : Object.fromEntries(used);
}

/** Like the limits of all attributes, the share rejects only a patch that grows beyond it. */
function assertWithinShare(
  serviceId: string,
  before: AttributeState,
  after: AttributeState,
  limits: SharedLimits,
): void {
  const { attributeLimits, maxAttributeShare } = limits;
  const [were, are] = [before, after].map((state) => attributesOf(serviceId, state)) as [object, object];
  const maxCount = Math.floor(attributeLimits.maxCount * maxAttributeShare);
  const count = Object.keys(are).length;
  if (count > maxCount && count > Object.keys(were).length) {
    const expectation = `must have at most ${maxCount} keys that one service with limited permissions wrote.`;
    throw new SessionInputError('attributes', 'attribute-share-count', expectation, maxCount);
  }
  const maxBytes = Math.floor(attributeLimits.maxTotalBytes * maxAttributeShare);
  const bytes = jsonBytes(are);
  if (bytes > maxBytes && bytes > jsonBytes(were)) {
    const expectation = `must have at most ${maxBytes} bytes as JSON that one service with limited permissions wrote.`;
    throw new SessionInputError('attributes', 'attribute-share-size', expectation, maxBytes);
  }
}

function attributesOf(serviceId: string, { attributes, writers = {} }: AttributeState): object {
  const keys = Object.hasOwn(writers, serviceId) ? writers[serviceId]! : [];
  return Object.fromEntries(keys.filter((key) => Object.hasOwn(attributes, key)).map((key) => [key, attributes[key]]));
}
