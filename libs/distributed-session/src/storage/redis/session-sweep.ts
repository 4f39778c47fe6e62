import { randomInt } from 'node:crypto';
import { StorageCorruptError } from '../../errors/storage.errors.js';
import type { SweepSessions } from '../session-storage.operations.js';
import type { RedisConnection } from './connection/redis-connection.js';
import type { RedisConnections } from './redis-connections.js';
import { claimDueSessionsScript } from './scripts/claim-due-sessions.script.js';
import { SCORE_UNIT } from './scripts/login.fragment.js';
import { SHARDS, type SessionKeys } from './session-keys.js';
import { reportUnreadableLogin } from './stored-value-errors.js';

/** How many logins are claimed from at a time. */
const BATCH = 64;

/**
 * Claims what time has ended. The expiry sets say which logins may have due sessions; each is claimed from in one step,
 * which finds them due or sets when to look again. Any number of processes may sweep at once. All rounds of a sweep have
 * one deadline; what was claimed until then stays claimed.
 */
export class SessionSweep {
  constructor(
    private readonly gateway: RedisConnections,
    private readonly keys: SessionKeys,
  ) {}

  async run({ limit, historyRetentionMs }: SweepSessions): Promise<number> {
    const { connection } = this.gateway;
    let claimed = 0;
    while (claimed < limit) {
      const count = await this.#round(connection, limit - claimed, historyRetentionMs);
      // Others may have claimed what this round found, and there may be more.
      if (count === 0) break;
      claimed += count;
    }
    return claimed;
  }

  async #round(connection: RedisConnection, limit: number, retention: number): Promise<number> {
    let claimed = 0;
    const due = await this.#dueLogins(connection, limit);
    while (claimed < limit && due.length > 0) {
      const batch = due.splice(0, Math.min(BATCH, limit - claimed));
      const share = Math.floor((limit - claimed) / batch.length);
      const counts = await Promise.all(batch.map(async (tag) => this.#claim(connection, tag, share, retention)));
      claimed += counts.reduce((sum, count) => sum + count, 0);
    }
    return claimed;
  }

  /**
   * The logins that were scheduled for now or earlier. Each has a due session, or is rescheduled. They begin at any
   * shard, so that processes that sweep at the same time do not all go for the same.
   */
  async #dueLogins(connection: RedisConnection, limit: number): Promise<string[]> {
    const { clock } = this.gateway;
    const now = clock.now() + Math.min(Math.ceil(clock.errorMs), 1_000);
    const latest = (now + 1) * SCORE_UNIT - 1;
    const found = await Promise.all(
      SHARDS.map(async (shard) => {
        const { expiries } = this.keys.shard(shard);
        const tags = await connection.read('zrangebyscore', expiries, 0, latest, 'LIMIT', 0, limit);
        return (tags as readonly Buffer[]).map(String);
      }),
    );
    const start = randomInt(found.length);
    return [...found.slice(start), ...found.slice(0, start)].flat();
  }

  async #claim(connection: RedisConnection, tag: string, limit: number, retention: number): Promise<number> {
    const args = { tag, retention, limit };
    try {
      const { rest } = await this.gateway.write(claimDueSessionsScript, this.keys.all(tag), args, connection);
      return Number(rest[0]);
    } catch (error) {
      // It must not keep the others from being swept.
      if (!(error instanceof StorageCorruptError)) throw error;
      reportUnreadableLogin(this.keys.login(tag), error);
      return 0;
    }
  }
}
