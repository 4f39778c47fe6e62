import type { SessionTombstone, StoredSession } from '../storage/session-record.js';
import type { SessionStorage } from '../storage/session-storage.js';
import { readSession } from './open-session.js';

/** Maximum number of consecutive rotations to follow, and so of previous credentials that return a session. */
const MAX_GRACE_HOPS = 3;

/**
 * Returns the id under which a rotated session continues, or `undefined` after the grace period. A rotation without a
 * grace period is never followed, even if `now` lags slightly behind the storage's clock.
 */
export function successorOf({ rotatedTo, endedAt, graceEndsAt = endedAt }: SessionTombstone, now: number) {
  return graceEndsAt > endedAt && now < graceEndsAt ? rotatedTo : undefined;
}

/** Returns the session that continues a rotated one during the grace period, and any other session unchanged. */
export async function followRotation(storage: SessionStorage, stored: StoredSession): Promise<StoredSession> {
  let last = stored;
  for (let hop = 0; hop < MAX_GRACE_HOPS; hop++) {
    const successor = last.state === 'live' ? undefined : successorOf(last, storage.now());
    if (successor === undefined) return last;
    last = (await readSession(storage, successor)) ?? last;
  }
  return last;
}
