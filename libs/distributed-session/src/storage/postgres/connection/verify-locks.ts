import { setTimeout } from 'node:timers/promises';
import { type ClockReading, clockError, spreadError } from '../../shared/clock-reading.js';
import { SERVICES_LOCK } from '../functions/lock.fragment.js';
import { verifyLock } from '../functions/verify-storage.function.js';
import { firstRow } from '../schema/schema-state.js';
import type { SchemaNames } from '../schema/schema-names.js';
import { inCheckTransaction } from './check-transaction.js';
import { DeadlineError, inTime } from './postgres-connection.js';
import type { PostgresClient } from './postgres-pool.js';

/** How long one connection waits for the lock of the other: also the time in which the clock must advance. */
const WAIT_MS = 25;
/** A clock that was set during a check is not a broken one. */
const CLOCK_ATTEMPTS = 3;
/** A wait that has not ended by then does not end at its timeout. */
const LATE_MS = 1_500;
const CANCELLED = '57014';

/** Takes the lock of services, which is rarely held, if it is free; and reads the clock. */
const TRY_LOCK = `WITH locked AS (
  SELECT number FROM {session_lock} WHERE number {=} (${SERVICES_LOCK})::pg_catalog.int8 FOR UPDATE SKIP LOCKED
) SELECT pg_catalog.count(*), {now_ms}() FROM locked`;

/**
 * Verifies that a row lock of one connection excludes another one, which skips it or waits for it; that a statement ends
 * at its timeout; and that the clock advances in a transaction, the same on both connections. If another process holds
 * the lock, it is not taken: then locks exclude.
 */
export async function lockErrors(one: PostgresClient, other: PostgresClient, names: SchemaNames): Promise<string[]> {
  let errors: string[] = [];
  for (let attempt = 1; attempt <= CLOCK_ATTEMPTS; attempt++) {
    errors = await lockErrorsOnce(one, other, names);
    if (errors.length === 0) return [];
  }
  return errors;
}

async function lockErrorsOnce(one: PostgresClient, other: PostgresClient, names: SchemaNames): Promise<string[]> {
  const tryLock = async (client: PostgresClient) => {
    const sentAt = performance.now();
    const [count, now] = await firstRow(client, names.sql(TRY_LOCK));
    return { isTaken: count === '1', clock: { sentAt, now: Number(now), receivedAt: performance.now() } };
  };
  // The lock is released before the other connection's transaction ends, which may still wait for it.
  return inCheckTransaction(other, async () =>
    inCheckTransaction(one, async () => {
      const [first, second] = [await tryLock(one), await tryLock(other)];
      await firstRow(
        other,
        `SELECT pg_catalog.set_config('statement_timeout'::pg_catalog.text, '${WAIT_MS}'::pg_catalog.text, true)`,
      );
      const wait = await waitForLock(other, names);
      // Without a wait, less than a millisecond may have passed.
      if (wait.outcome !== CANCELLED) await setTimeout(WAIT_MS);
      const last = await tryLock(one);
      const errors: string[] = [];
      if (first.isTaken && second.isTaken) errors.push(SKIPPED);
      else if (first.isTaken && wait.outcome !== CANCELLED) errors.push(notWaiting(wait.outcome));
      const isSameTime = wait.outcome === CANCELLED && wait.after <= wait.before;
      const clock = clockErrors(first.clock, second.clock, last.clock) ?? (isSameTime ? SAME_TIME : undefined);
      return clock === undefined ? errors : [...errors, clock];
    }),
  );
}

interface Wait {
  /** `taken`, an SQLSTATE, or empty if it did not end. */
  readonly outcome: string;
  readonly before: number;
  readonly after: number;
}

async function waitForLock(client: PostgresClient, names: SchemaNames): Promise<Wait> {
  const { text } = verifyLock.prepare(names);
  try {
    return verifyLock.parse(await inTime(firstRow(client, text), performance.now() + LATE_MS));
  } catch (error) {
    if (error instanceof DeadlineError) return { outcome: '', before: 0, after: 0 };
    throw error;
  }
}

const SAME_TIME =
  'its clock stands still while a statement waits (clock_timestamp()): sessions would end late. Use PostgreSQL';
const SKIPPED =
  'it gives the lock of one row to two connections (FOR UPDATE SKIP LOCKED): the limits of sessions would not hold. Use a ' +
  'server with row locks';

function notWaiting(outcome: string): string {
  const seen =
    {
      taken: 'got the lock',
      '': `still waited after ${LATE_MS} ms`,
    }[outcome] ?? `failed with SQLSTATE ${outcome}`;
  return (
    `a connection that waits for the row lock of another one must be cancelled at its statement_timeout (${CANCELLED}), but ` +
    `${seen}: use a server with row locks and statement_timeout`
  );
}

/** The servers behind two connections need not be the same, so their clocks may differ a little. */
function clockErrors(first: ClockReading, other: ClockReading, last: ClockReading): string | undefined {
  const error = clockError([first.now, last.now], 'clock_timestamp()');
  if (error !== undefined) return `${error}: correct the server's clock, or use PostgreSQL`;
  const spread = spreadError([first, other, last]);
  return spread && `${spread} between its connections`;
}
