import type { StoredSession } from '../storage/session-record.js';
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

/** Where a session that was rotated lives on, while the grace lasts; anything else is returned as it is. */
export async function followRotation(storage: SessionStorage, stored: StoredSession): Promise<StoredSession> {
  let last = stored;
  for (let hop = 0; hop < MAX_GRACE_HOPS; hop++) {
    if (last.state === 'live' || last.rotatedTo === undefined || !(storage.now() < last.graceEndsAt!)) return last;
    last = (await readSession(storage, last.rotatedTo)) ?? last;
  }
  return last;
}
