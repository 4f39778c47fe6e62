import { setTimeout } from 'node:timers/promises';
import type { SweepSessions } from '../session-storage.operations.js';
import type { PostgresConnections } from './postgres-connections.js';
import { RowReader } from './records/row-reader.js';
import { purgeTombstonesStatement } from './statements/purge-tombstones.statement.js';
import { sweepSessionsStatement } from './statements/sweep-sessions.statement.js';

/** How many rows one statement works on: few enough that nobody waits for its locks, or for its share of the disk. */
const BATCH = 50;
/**
 * A pause after each full one, as long as that took and no longer than this, in the first half of the time that there is:
 * readers have the server for themselves then.
 */
const MAX_PAUSE_MS = 50;

/**
 * Claims what time has ended, and drops tombstones that are past their retention, in batches. What others are changing
 * now is left out, so any number of processes may sweep at once. All batches of a sweep have one deadline; what was
 * done until then stays done.
 */
export class SessionSweep {
  constructor(private readonly gateway: PostgresConnections) {}

  async run({ limit, historyRetentionMs }: SweepSessions): Promise<number> {
    const endsAt = this.gateway.connection.deadline();
    const pausesUntil = (performance.now() + endsAt) / 2;
    let claimed = 0;
    let isMore = true;
    while (claimed < limit && isMore) {
      const batch = Math.min(BATCH, limit - claimed);
      const startedAt = performance.now();
      const values = { limit: batch, retentionMs: historyRetentionMs };
      const reply = await this.gateway.writeOne(sweepSessionsStatement, values, endsAt);
      claimed += reply.whole();
      isMore = reply.whole() === batch;
      const endedAt = performance.now();
      if (isMore && endedAt < pausesUntil) await setTimeout(Math.min(endedAt - startedAt, MAX_PAUSE_MS));
    }
    await this.#purge(endsAt);
    return claimed;
  }

  async #purge(endsAt: number): Promise<void> {
    let dropped = BATCH;
    while (dropped === BATCH) {
      const [row = []] = await this.gateway.connection.run(purgeTombstonesStatement, { limit: BATCH }, endsAt);
      dropped = new RowReader(row).whole();
    }
  }
}
