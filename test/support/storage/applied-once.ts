import { expect } from '@jest/globals';
import type { SessionStorage } from 'nestjs-distributed-session';
import type { SessionRecord } from 'nestjs-distributed-session/storage';
import type { SERVICE_WRITES } from './service-calls.js';
import { liveOf, textOf, type WRITES } from './storage-calls.js';

type Check = (witness: SessionStorage, session: SessionRecord) => Promise<void>;

/** Checks that a write was applied exactly once. */
export const APPLIED_ONCE: Record<keyof typeof WRITES, Check> = {
  create: async (witness, { loginId }) => {
    const texts = (await liveOf(witness, loginId)).map(({ payload }) => textOf(payload));
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
    const [successor, ...others] = await liveOf(witness, loginId);
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

/** The services after a write that was applied exactly once. */
export const SERVICE_APPLIED_ONCE: Record<keyof typeof SERVICE_WRITES, readonly object[]> = {
  put: [{ version: 2, secrets: [{ keyId: 'second' }] }],
  addSecret: [{ version: 2, secrets: [{ keyId: 'second' }] }],
  renewHash: [{ version: 1, secrets: [{ keyId: 'first', hash: { digest: 'second' } }] }],
  endSecret: [{ version: 2, secrets: [] }],
  remove: [],
};
