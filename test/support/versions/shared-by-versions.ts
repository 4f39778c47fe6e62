import { expect } from '@jest/globals';
import type { VersionProcess } from './version-process.js';

/** `read`: the next version writes records that this one reads. */
export type NewerRecords = 'read' | 'ERR_STORAGE_NEWER_FORMAT';

/** Each version creates a session; both read, write, list, count and end it, as far as they can. */
export async function expectShared(older: VersionProcess, newer: VersionProcess, records: NewerRecords): Promise<void> {
  await expectSharedBy(older, newer, { reads: 'read', rereads: records });
  await expectSharedBy(newer, older, { reads: records, rereads: 'read' });
  expect(await older.sessions.countOnline()).toEqual(await newer.sessions.countOnline());
}

let logins = 0;

/** `reads`: what the other version sees of the session. `rereads`: what its creator sees after the other's write. */
async function expectSharedBy(
  mine: VersionProcess,
  other: VersionProcess,
  { reads, rereads }: { readonly reads: string; readonly rereads: string },
): Promise<void> {
  const loginId = `user-${++logins}`;
  const { sessionId, credential } = await mine.sessions.createSession(loginId, undefined, { device: 'web' });
  expect(await outcomeOf(other.sessions.verifySession(credential))).toBe(reads);
  expect(await outcomeOf(other.sessions.setAttribute(sessionId, 'from', 'other'))).toBe(reads);
  expect(await outcomeOf(mine.sessions.setAttribute(sessionId, 'from', 'mine'))).toBe(rereads);
  for (const each of [mine, other]) {
    expect(await each.sessions.getSessionsByLoginId(loginId)).toMatchObject([{ sessionId, device: 'web' }]);
    expect(await each.sessions.countSessions(loginId)).toBe(1);
  }
  expect(await other.sessions.deleteSession(sessionId, { reason: 'revoked' })).toBe(true);
  await expect(mine.sessions.verifySession(credential)).rejects.toMatchObject({ reason: 'revoked' });
  expect(await mine.sessions.getSessionHistory(loginId)).toMatchObject([{ sessionId, reason: 'revoked' }]);
}

/** `read`, or the code of the error. */
export async function outcomeOf(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    () => 'read',
    (error: { code?: unknown }) => error.code,
  );
}
