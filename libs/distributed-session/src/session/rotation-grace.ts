import type { SessionTombstone, StoredSession } from '../storage/session-record.js';
import type { SessionStorage } from '../storage/session-storage.js';
import { assertAnswers } from './open-session.js';

/** How many rotations in a row are followed while their grace lasts, and so how many old credentials a session knows. */
export const MAX_GRACE_HOPS = 3;

/** What the storage has under an id, after a check that it is about this id. */
export async function readSession(storage: SessionStorage, sessionId: string): Promise<StoredSession | undefined> {
  const stored = await storage.get(sessionId);
  if (stored) assertAnswers(stored, sessionId);
  return stored;
}

/**
 * The id that a rotated session lives on under, while the grace lasts. A rotation without a grace leads nowhere from
 * the start, also by a `now` that lags the storage's clock a little.
 */
export function successorOf({ rotatedTo, endedAt, graceEndsAt = endedAt }: SessionTombstone, now: number) {
  return graceEndsAt > endedAt && now < graceEndsAt ? rotatedTo : undefined;
}

/** Where a session that was rotated lives on, while the grace lasts; anything else is returned as it is. */
export async function followRotation(storage: SessionStorage, stored: StoredSession): Promise<StoredSession> {
  let last = stored;
  for (let hop = 0; hop < MAX_GRACE_HOPS; hop++) {
    const successor = last.state === 'live' ? undefined : successorOf(last, storage.now());
    if (successor === undefined) return last;
    last = (await readSession(storage, successor)) ?? last;
  }
  return last;
}
