import { expect } from '@jest/globals';
import type { SessionStorage } from 'nestjs-distributed-session';
import type { SessionRecord } from 'nestjs-distributed-session/storage';
import { textOf, type WRITES } from './storage-calls.js';

type Check = (witness: SessionStorage, session: SessionRecord) => Promise<void>;

/** What of a write is there to see afterwards, if it was applied exactly once. */
export const APPLIED_ONCE: Record<keyof typeof WRITES, Check> = {
  create: async (witness, { loginId }) => {
    const texts = (await witness.listByLogin(loginId)).map(({ payload }) => textOf(payload));
    expect(texts).toEqual(['first', 'second']);
  },
  replace: async (witness, { sessionId }) => {
    const found = await witness.get(sessionId);
    expect(found).toMatchObject({ state: 'live', version: 2, payload: new Uint8Array(Buffer.from('second')) });
  },
  touch: async (witness, { sessionId, lastAccessedAt }) => {
    const found = (await witness.get(sessionId)) as SessionRecord;
    expect(found.version).toBe(1);
    expect(found.lastAccessedAt).toBeGreaterThan(lastAccessedAt);
  },
  rotate: async (witness, { sessionId, loginId }) => {
    const [successor, ...others] = await witness.listByLogin(loginId);
    expect([successor?.version, textOf(successor!.payload), others]).toEqual([1, 'second', []]);
    expect(await witness.get(sessionId)).toMatchObject({ reason: 'rotated', rotatedTo: successor!.sessionId });
  },
  end: async (witness, { sessionId, loginId }) => {
    expect(await witness.listHistory(loginId)).toMatchObject([{ sessionId, reason: 'logged-out' }]);
  },
  endAll: async (witness, { sessionId, loginId }) => {
    expect(await witness.listHistory(loginId)).toMatchObject([{ sessionId, reason: 'kicked-out' }]);
  },
};
