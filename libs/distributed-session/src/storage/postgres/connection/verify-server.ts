import { setTimeout } from 'node:timers/promises';
import { clockError } from '../../shared/clock-reading.js';
import { firstRow } from '../schema/schema-state.js';
import type { SchemaNames } from '../schema/schema-names.js';
import { sqlStateOf } from './postgres-failure.js';
import type { PostgresClient } from './postgres-pool.js';
import { lockErrors } from './verify-locks.js';
import { storageErrors, valueErrors } from './verify-storage.js';

/** Long enough for any clock to advance. */
const CLOCK_PAUSE_MS = 20;
const CLOCK_ATTEMPTS = 3;
/** Errors that another attempt may not have: conflicts, timeouts, resources, the connection; and missing privileges. */
const OTHER_ERRORS = /^(?:40|53|55|57|58|08|25|42501|XX)/;

export interface Verification {
  readonly names: SchemaNames;
  /** Whether the user may write: one who only reads depends on less. */
  readonly mayWrite: boolean;
  /** Whether all connections are one session, within the process. */
  readonly isEmbedded: boolean;
  /** Opens a second connection; absent if there can be only one. */
  readonly openAnother: (() => Promise<PostgresClient>) | undefined;
}

/** Verifies by behaviour what the storage depends on, without leaving anything. Returns what does not hold. */
export async function verifyServer(client: PostgresClient, verification: Verification): Promise<string[]> {
  const { names, mayWrite, isEmbedded, openAnother } = verification;
  try {
    const errors = await (mayWrite ? storageErrors(client, names) : valueErrors(client));
    if (errors.length > 0) return errors;
    if (!mayWrite || isEmbedded || !openAnother) return await singleClockErrors(client, names);
    const other = await openAnother();
    let isSpent = true;
    try {
      const found = await lockErrors(client, other, names);
      isSpent = false;
      return found;
    } finally {
      other.release(isSpent);
    }
  } catch (error) {
    return [rejected(error)];
  }
}

/** The sentence for a server's error that no later attempt avoids. Throws any other error. */
function rejected(error: unknown): string {
  const state = sqlStateOf(error);
  if (state === undefined || OTHER_ERRORS.test(state)) throw error;
  if (state === 'P0002') return 'it lacks rows of its table of locks: docs/postgres.md shows how to restore them';
  return `it rejects what the storage does (SQLSTATE ${state}): use PostgreSQL 14 or later`;
}

async function singleClockErrors(client: PostgresClient, names: SchemaNames): Promise<string[]> {
  const read = async () => Number((await firstRow(client, names.sql('SELECT {now_ms}()')))[0]);
  let error: string | undefined;
  for (let attempt = 1; attempt <= CLOCK_ATTEMPTS; attempt++) {
    const first = await read();
    await setTimeout(CLOCK_PAUSE_MS);
    error = clockError([first, await read()], 'clock_timestamp()');
    if (error === undefined) return [];
  }
  return [`${error!}: correct the server's clock, or use PostgreSQL`];
}
