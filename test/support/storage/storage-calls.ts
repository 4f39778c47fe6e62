import type { SessionStorage } from 'nestjs-distributed-session';
import type { CreateSession, SessionRecord } from 'nestjs-distributed-session/storage';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import type { SERVICE_WRITES } from './service-calls.js';

export const RETENTION_MS = 3_600_000;

/** The arguments that create a session which lasts for at least an hour. */
export function creation(storage: SessionStorage, loginId: string, text = 'first'): CreateSession {
  return {
    sessionId: storage.nextSessionId(loginId),
    loginId,
    idleTimeoutMs: 3_600_000,
    absoluteTimeoutMs: 7_200_000,
    tokenDigest: 'digest of the token',
    payload: bytes(text),
    limits: { perLogin: 100, onLimit: 'reject' },
    historyRetentionMs: RETENTION_MS,
    by: 'tests',
  };
}

/** Creates a session that lasts for at least an hour without an access. */
export async function created(storage: SessionStorage, loginId: string, text?: string): Promise<SessionRecord> {
  const result = await storage.create(creation(storage, loginId, text));
  if (result.outcome !== 'created') throw new Error(`The session was not created: ${result.outcome}`);
  return result.session;
}

/** The live sessions of a user, all of which can be read. */
export async function liveOf(storage: SessionStorage, loginId: string): Promise<readonly SessionRecord[]> {
  return (await storage.listByLogin(loginId)).map((record) => {
    if (record.state === 'unreadable') throw new Error(`Session ${record.sessionId} is unreadable`);
    return record;
  });
}

/** Creates a session and waits until it has expired; nothing sweeps it. */
export async function createdExpired(storage: SessionStorage, loginId: string): Promise<SessionRecord> {
  const result = await storage.create({ ...creation(storage, loginId), idleTimeoutMs: 1 });
  if (result.outcome !== 'created') throw new Error(`The session was not created: ${result.outcome}`);
  await eventually(async () => (await storage.get(result.session.sessionId))?.state === 'ended');
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

/** A write of a storage or of its services. */
export type StorageOperation = keyof typeof WRITES | keyof typeof SERVICE_WRITES | 'recordUse' | 'sweep';

export function bytes(text: string): Uint8Array {
  return Buffer.from(text);
}

export function textOf(payload: Uint8Array): string {
  return Buffer.from(payload).toString();
}

/** Runs each write once, so that the server has cached every script and a call is one round trip. */
export async function warmUp(storage: SessionStorage, loginId = 'warm-up'): Promise<void> {
  for (const write of Object.values(WRITES)) await write(storage, await created(storage, loginId));
}
