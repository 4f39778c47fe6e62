import type { SessionStorage } from 'nestjs-distributed-session';
import type { CreateSession, SessionRecord } from 'nestjs-distributed-session/storage';

export const RETENTION_MS = 3_600_000;

/** What a session of the tests is created with. */
export function creation(storage: SessionStorage, loginId: string, text = 'first'): CreateSession {
  return {
    sessionId: storage.nextSessionId(loginId),
    loginId,
    idleTimeoutMs: 3_600_000,
    absoluteTimeoutMs: 7_200_000,
    payload: bytes(text),
    limits: { perLogin: 100, onLimit: 'reject' },
    historyRetentionMs: RETENTION_MS,
    by: 'tests',
  };
}

/** Creates a session that lives for an hour. */
export async function created(storage: SessionStorage, loginId: string, text?: string): Promise<SessionRecord> {
  const result = await storage.create(creation(storage, loginId, text));
  if (result.outcome !== 'created') throw new Error(`The session was not created: ${result.outcome}`);
  return result.session;
}

/** One call of each operation that writes, on a session that is live at version 1. */
export const WRITES = {
  create: (storage, { loginId }) => storage.create(creation(storage, loginId, 'second')),
  replace: (storage, { sessionId }) =>
    storage.replace({ sessionId, expectedVersion: 1, payload: bytes('second'), touch: false, by: 'tests' }),
  touch: (storage, { sessionId }) => storage.touch([sessionId]),
  rotate: (storage, { sessionId, loginId }) =>
    storage.rotate({
      sessionId,
      expectedVersion: 1,
      successor: { sessionId: storage.nextSessionId(loginId), payload: bytes('second') },
      graceMs: 0,
      historyRetentionMs: RETENTION_MS,
      by: 'tests',
    }),
  end: (storage, { sessionId }) =>
    storage.end({ sessionId, reason: 'logged-out', historyRetentionMs: RETENTION_MS, by: 'tests' }),
  endAll: (storage, { loginId }) =>
    storage.endAll({ loginId, reason: 'kicked-out', historyRetentionMs: RETENTION_MS, by: 'tests' }),
} satisfies Record<string, (storage: SessionStorage, session: SessionRecord) => Promise<unknown>>;

/** One call of each operation that reads. */
export const READS = {
  get: (storage, { sessionId }) => storage.get(sessionId),
  listByLogin: (storage, { loginId }) => storage.listByLogin(loginId),
  listHistory: (storage, { loginId }) => storage.listHistory(loginId),
  count: (storage) => storage.count(),
  listLogins: (storage) => storage.listLogins({ limit: 10 }),
} satisfies Record<string, (storage: SessionStorage, session: SessionRecord) => Promise<unknown>>;

export function bytes(text: string): Uint8Array {
  return Buffer.from(text);
}

export function textOf(payload: Uint8Array): string {
  return Buffer.from(payload).toString();
}

/** Runs each script once, with sessions of this login: the server knows them from here on, and a call is one round trip. */
export async function warmUp(storage: SessionStorage, loginId = 'warm-up'): Promise<void> {
  for (const write of Object.values(WRITES)) await write(storage, await created(storage, loginId));
}
