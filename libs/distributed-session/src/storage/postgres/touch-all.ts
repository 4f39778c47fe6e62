import type { SessionTimes } from '../session-storage.operations.js';
import { touchSessions } from './functions/touch-sessions.function.js';
import type { PostgresConnections } from './postgres-connections.js';

/**
 * Records accesses in one statement. A session whose row another transaction holds is touched by its own statement, which
 * waits for the row and delays no other session.
 */
export async function touchAll(
  { connection }: PostgresConnections,
  sessionIds: readonly string[],
): Promise<ReadonlyMap<string, SessionTimes>> {
  if (sessionIds.length === 0) return new Map();
  const endsAt = connection.deadline();
  const first = await connection.run(touchSessions, { sessionIds, wait: false }, endsAt);
  const held = first.filter(({ isHeld }) => isHeld);
  const waited = await Promise.allSettled(
    held.map(async ({ sessionId }) => connection.run(touchSessions, { sessionIds: [sessionId], wait: true }, endsAt)),
  );
  const failed = waited.find((result) => result.status === 'rejected');
  if (failed) throw failed.reason;
  const all = [...first, ...waited.flatMap((result) => (result.status === 'fulfilled' ? result.value : []))];
  return new Map(
    all
      .filter(({ isHeld }) => !isHeld)
      .map(({ sessionId, lastAccessedAt, expiresAt }) => [sessionId, { sessionId, lastAccessedAt, expiresAt }]),
  );
}
