import { setTimeout } from 'node:timers/promises';
import type { SessionTimes, SweepSessions } from '../session-storage.operations.js';
import { purgeTombstones } from './functions/purge-tombstones.function.js';
import { sweepSessions } from './functions/sweep-sessions.function.js';
import { touchSessions } from './functions/touch-sessions.function.js';
import type { PostgresConnections } from './postgres-connections.js';

// Operations that take several statements, under one deadline.

/** The rows of one statement: few, so that its locks and its disk writes delay no other transaction. */
const BATCH = 50;
/**
 * The longest pause after a full batch. A pause is as long as its batch took, and there are none in the second half of the
 * deadline. Readers have the server to themselves meanwhile.
 */
const MAX_PAUSE_MS = 50;

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

/**
 * Expires due sessions, and deletes tombstones that are past their retention, in batches. It skips what other transactions
 * hold, so any number of processes may sweep at once. All batches share one deadline; completed batches stay completed.
 */
export async function sweepAndPurge(
  connections: PostgresConnections,
  { limit, historyRetentionMs }: SweepSessions,
): Promise<number> {
  const { connection } = connections;
  const endsAt = connection.deadline();
  const pausesUntil = (performance.now() + endsAt) / 2;
  let total = 0;
  let isMore = true;
  while (total < limit && isMore) {
    const batch = Math.min(BATCH, limit - total);
    const startedAt = performance.now();
    const values = { limit: batch, retentionMs: historyRetentionMs };
    const { expired, examined } = await connections.writeOne(sweepSessions, values, endsAt);
    total += expired;
    isMore = examined === batch;
    const endedAt = performance.now();
    if (isMore && endedAt < pausesUntil) await setTimeout(Math.min(endedAt - startedAt, MAX_PAUSE_MS));
  }
  let purged: number | undefined = BATCH;
  while (purged === BATCH) [purged] = await connection.run(purgeTombstones, { limit: BATCH }, endsAt);
  return total;
}
