import type { RedisSessionStorage } from 'nestjs-distributed-session/redis';
import type { CreateSession, CreateSessionResult } from 'nestjs-distributed-session/storage';
import { creation, liveOf } from '../storage/storage-calls.js';

/** How the tests of a change of the tag key end sessions. */
export const ENDING = { loginId: 'alice', reason: 'kicked-out', by: 'tests', historyRetentionMs: 3_600_000 } as const;

/** The tag of the user in a session id, which depends on the tag key. */
export function tagOf({ sessionId }: { readonly sessionId: string }): string {
  return sessionId.slice(0, 13);
}

/** The ids of the live sessions of a user. */
export async function idsOf(storage: RedisSessionStorage, loginId = 'alice'): Promise<readonly string[]> {
  return (await liveOf(storage, loginId)).map(({ sessionId }) => sessionId);
}

/** Ends all sessions of a user and returns their ids. */
export async function endAll(storage: RedisSessionStorage, loginId = 'alice'): Promise<readonly string[]> {
  return (await storage.endAll({ ...ENDING, loginId })).map(({ sessionId }) => sessionId);
}

/** Creates a session as a caller does, who repeats the creation with a new id if the id is taken. */
export async function login(
  storage: RedisSessionStorage,
  given: Partial<CreateSession> = {},
): Promise<CreateSessionResult> {
  for (let attempt = 1; attempt <= 3; attempt++) {
    const result = await storage.create({ ...creation(storage, given.loginId ?? 'alice'), ...given });
    if (result.outcome !== 'id-taken') return result;
  }
  throw new Error('The id was taken three times.');
}
