import { SessionConflictError, SessionInputError } from '../errors/session.errors.js';
import { type AttributeLimits, type JsonValue, attributeOf } from '../model/attributes.js';
import type { Session, SessionUpdate } from '../model/session.js';
import { kindMismatch } from '../model/value-kind.js';
import type { ServiceAccess } from '../service/service-access.js';
import { type CheckedPatch, checkAttributes } from './checked-patch.js';
import { type OpenSession, toSession } from './open-session.js';

/** The fields that an update cannot change. The times of access and expiry change by themselves and are ignored. */
const IMMUTABLE = [
  'sessionId',
  'loginId',
  'serviceId',
  'device',
  'createdAt',
  'absoluteExpiresAt',
  'idleTimeoutMs',
] as const;

/**
 * Returns the difference between an update and the session as its caller may read it, as a patch. Attributes that the
 * caller may not read are kept. Throws if the session was changed after it was read, or if another field differs.
 */
export function patchOfUpdate(
  update: SessionUpdate,
  current: OpenSession,
  access: ServiceAccess,
  limits: AttributeLimits,
): CheckedPatch {
  const seen: Session = toSession(current, access);
  if (!Number.isSafeInteger(update.version)) {
    const kind = kindMismatch(update.version, 'a number');
    const expectation = `must be the version of the session that was read, a whole number${kind}.`;
    throw new SessionInputError('version', 'type', expectation);
  }
  if (update.version !== seen.version) throw new SessionConflictError(seen.sessionId, update.version, seen.version);
  const changed = IMMUTABLE.find((name) => update[name] !== seen[name]) ?? changedClient(update, seen);
  if (changed !== undefined) {
    throw new SessionInputError(changed, 'immutable', 'cannot be changed by updateSession(); only attributes can.');
  }
  const wanted = checkAttributes(update.attributes, limits, Object.keys(seen.attributes).length);
  const isNew = ([key, value]: readonly [string, JsonValue]) =>
    JSON.stringify(value) !== JSON.stringify(attributeOf(seen.attributes, key));
  const set = [...wanted].filter(isNew);
  const remove = Object.keys(seen.attributes).filter((key) => !wanted.has(key));
  return { set: new Map(set), remove: new Set(remove) };
}

function changedClient({ client: given }: SessionUpdate, { client }: Session): 'client' | undefined {
  return given?.ip === client?.ip && given?.userAgent === client?.userAgent ? undefined : 'client';
}
