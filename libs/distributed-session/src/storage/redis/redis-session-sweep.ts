import { randomInt } from 'node:crypto';
import { StorageCorruptError } from '../../errors/storage.errors.js';
import type { SweepSessions } from '../session-storage.operations.js';
import type { RedisConnection } from './connection/redis-connection.js';
import type { RedisConnections } from './redis-connections.js';
import { expireDueSessionsScript } from './scripts/expire-due-sessions.script.js';
import { SCORE_UNIT } from './scripts/login.fragment.js';
import { SHARDS, type SessionKeys } from './session-keys.js';
import { logUnreadableLogin } from './stored-value-errors.js';

/** Users swept at a time. */
const BATCH = 64;

/**
 * Expires due sessions and returns their number. The expiry sets list the users that may have due sessions; one script
 * per user expires them, or schedules the next look. Any number of processes may sweep at once. All rounds share one
 * deadline; sessions that were expired before it remain so.
 */
export async function sweepRedisSessions(
  connections: RedisConnections,
  keys: SessionKeys,
  { limit, historyRetentionMs }: SweepSessions,
): Promise<number> {
  const { connection } = connections;
  let expired = 0;
  while (expired < limit) {
    const due = await dueLogins(connections, keys, connection, limit - expired);
    const count = await expireAll(due, limit - expired, async (tag, share) =>
      expireLogin(connections, keys, connection, { tag, retention: historyRetentionMs, limit: share }),
    );
    // More sessions may be due, unless another process has expired all that this round found.
    if (count === 0) break;
    expired += count;
  }
  return expired;
}

/** Sweeps the users in batches, up to the limit, which the users of a batch share. */
async function expireAll(
  due: string[],
  limit: number,
  expire: (tag: string, share: number) => Promise<number>,
): Promise<number> {
  let expired = 0;
  while (expired < limit && due.length > 0) {
    const batch = due.splice(0, Math.min(BATCH, limit - expired));
    const share = Math.floor((limit - expired) / batch.length);
    const counts = await Promise.all(batch.map(async (tag) => expire(tag, share)));
    expired += counts.reduce((sum, count) => sum + count, 0);
  }
  return expired;
}

/**
 * Returns the users that were scheduled for now or earlier. They start at a random shard, so that processes that sweep
 * at the same time do not compete for the same users.
 */
async function dueLogins(
  { clock }: RedisConnections,
  keys: SessionKeys,
  connection: RedisConnection,
  limit: number,
): Promise<string[]> {
  const now = clock.now() + Math.min(Math.ceil(clock.errorMs), 1_000);
  const latest = (now + 1) * SCORE_UNIT - 1;
  const found = await Promise.all(
    SHARDS.map(async (shard) => {
      const { expiries } = keys.shard(shard);
      const tags = await connection.read('zrangebyscore', expiries, 0, latest, 'LIMIT', 0, limit);
      return (tags as readonly Buffer[]).map(String);
    }),
  );
  const start = randomInt(found.length);
  return [...found.slice(start), ...found.slice(0, start)].flat();
}

async function expireLogin(
  connections: RedisConnections,
  keys: SessionKeys,
  connection: RedisConnection,
  args: { readonly tag: string; readonly retention: number; readonly limit: number },
): Promise<number> {
  try {
    const { rest } = await connections.write(expireDueSessionsScript, keys.all(args.tag), args, connection);
    return Number(rest[0]);
  } catch (error) {
    // One user's unreadable key must not stop the sweep.
    if (!(error instanceof StorageCorruptError)) throw error;
    logUnreadableLogin(keys.login(args.tag), error);
    return 0;
  }
}
