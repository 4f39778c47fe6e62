import type { SessionTimes } from '../session-storage.operations.js';
import type { PostgresConnections } from './postgres-connections.js';
import { RowReader } from './records/row-reader.js';
import { touchSessionsStatement } from './statements/touch-sessions.statement.js';

/** What one statement answered: the times of the sessions that were touched, and whose rows others hold. */
interface Touched {
  readonly times: readonly SessionTimes[];
  readonly held: readonly string[];
}

/**
 * Records accesses, all in one statement. A session whose row another transaction holds is touched by a statement of
 * its own, which waits for that: it keeps no other from being touched.
 */
export class SessionTouch {
  constructor(private readonly gateway: PostgresConnections) {}

  async run(sessionIds: readonly string[]): Promise<ReadonlyMap<string, SessionTimes>> {
    if (sessionIds.length === 0) return new Map();
    const endsAt = this.gateway.connection.deadline();
    const { times, held } = await this.#touch(sessionIds, false, endsAt);
    const waited = await Promise.allSettled(held.map(async (sessionId) => this.#touch([sessionId], true, endsAt)));
    const failed = waited.find((result) => result.status === 'rejected');
    if (failed) throw failed.reason;
    const all = [...times, ...waited.flatMap((result) => (result.status === 'fulfilled' ? result.value.times : []))];
    return new Map(all.map((each) => [each.sessionId, each]));
  }

  async #touch(sessionIds: readonly string[], wait: boolean, endsAt: number): Promise<Touched> {
    const { connection } = this.gateway;
    const rows = await connection.run(touchSessionsStatement, { sessionIds, wait }, endsAt);
    const read = rows.map((row) => {
      const reader = new RowReader(row);
      const times = { sessionId: reader.text(), lastAccessedAt: reader.whole(), expiresAt: reader.whole() };
      return { times, isHeld: reader.boolean() };
    });
    return {
      times: read.filter(({ isHeld }) => !isHeld).map(({ times }) => times),
      held: read.filter(({ isHeld }) => isHeld).map(({ times }) => times.sessionId),
    };
  }
}
