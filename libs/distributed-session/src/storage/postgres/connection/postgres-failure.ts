import { DistributedSessionError } from '../../../errors/distributed-session.error.js';
import {
  StorageCorruptError,
  StorageOutcomeUnknownError,
  StorageUnavailableError,
} from '../../../errors/storage.errors.js';

/** Two steps stood in each other's way, and one was undone: it may be tried again. */
const RETRYABLE: readonly string[] = ['40001', '40P01'];

/** The server takes no writes, or not of this user: reading still works. */
const WRITE_REFUSALS: Readonly<Record<string, string>> = {
  '25006': 'takes no writes: it is a standby, or its transactions are read-only. Give the address of the primary.',
  '42501': 'does not allow its user this. docs/postgres-grants says what is needed.',
  '53100': 'has no space left on its disk. Free some; reading sessions still works.',
};

/** Why nothing was applied, by the SQLSTATE of the answer or by its class (appendix A of the manual). */
const REFUSALS: Readonly<Record<string, string>> = {
  '55P03': 'waited in vain for a row or lock that another transaction holds. Find it in pg_stat_activity. Try again.',
  '57014': 'cancelled the statement: its time was up. Try again shortly.',
  '53300': 'has no connection left: raise max_connections, or lower the size of the pools.',
  '57P03': 'is starting up, or shutting down. Try again shortly.',
  '42P01': 'lacks tables of the session storage: run the migrations.',
  '42883': 'lacks functions of the session storage: run the migrations.',
  '42703': 'lacks columns of the session storage: run the migrations.',
  '3F000': 'lacks the schema of the session storage: run the migrations.',
  '28P01': 'refuses the user or the password.',
  '28000': 'refuses the user: see pg_hba.conf.',
  '3D000': 'does not have this database.',
  '54000': 'refuses a value that is too long for an index: a login id is.',
  '08': 'has lost the connection. Try again shortly.',
  '53': 'lacks resources. See the log of the server.',
};

/** The answers of a server whose data are damaged. */
const CORRUPT = 'XX';
/** Ends of a connection that may come after the commit, before its reply. */
const CONNECTION_ENDED: readonly string[] = ['57P01', '57P02', '57P05'];

/** The server answers, and takes no writes: reading still works. */
export class WriteRefusedError extends StorageUnavailableError {}

/** The SQLSTATE of an answer of PostgreSQL, or `undefined` when an error is no answer. */
export function sqlStateOf(error: unknown): string | undefined {
  const { code, severity } = (error ?? {}) as { code?: unknown; severity?: unknown };
  return typeof code === 'string' && typeof severity === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : undefined;
}

export function isRetryable(error: unknown): boolean {
  return RETRYABLE.includes(sqlStateOf(error) ?? '');
}

/** Whether a connection cannot be used any more after an error, or leads to a server that should not be asked again. */
export function endsConnection(error: unknown): boolean {
  const state = sqlStateOf(error);
  return state === undefined || state === '25006' || CONNECTION_ENDED.includes(state) || state === '57P03';
}

/** A statement that failed, as far as it matters for what its caller is told. */
export interface FailedStatement {
  /** Whether the server may have seen it. */
  readonly wasSent: boolean;
  /** Whether it changes nothing, so that it does not matter whether it was applied. */
  readonly isReadOnly: boolean;
}

/**
 * The error of this library for a failure of the client or the server. It carries nothing of the failure but its kind:
 * what PostgreSQL puts into messages and details can hold the values of a row (CWE-532).
 */
export function toStorageError(error: unknown, { wasSent, isReadOnly }: FailedStatement): DistributedSessionError {
  if (error instanceof DistributedSessionError) return error;
  const state = sqlStateOf(error);
  if (state !== undefined && !CONNECTION_ENDED.includes(state)) return refused(state);
  if (wasSent && !isReadOnly) return new StorageOutcomeUnknownError();
  return new StorageUnavailableError(
    wasSent
      ? 'PostgreSQL did not answer in time, or the connection was lost. Try again shortly.'
      : `PostgreSQL cannot be reached${reasonOf(error)}. Check that it runs, and the address.`,
  );
}

function refused(state: string): DistributedSessionError {
  const writeRefusal = WRITE_REFUSALS[state];
  if (writeRefusal) return new WriteRefusedError(`PostgreSQL ${writeRefusal}`);
  if (state.startsWith(CORRUPT)) {
    return new StorageCorruptError(
      `PostgreSQL cannot read its own data (SQLSTATE ${state}). See the log of the server.`,
    );
  }
  const reason = REFUSALS[state] ?? REFUSALS[state.slice(0, 2)] ?? `has refused a statement (SQLSTATE ${state}).`;
  return new StorageUnavailableError(`PostgreSQL ${reason}`);
}

/** The code of a failed connection: nothing that could hold a value. */
export function reasonOf(error: unknown): string {
  const { code } = (error ?? {}) as { code?: unknown };
  return typeof code === 'string' && /^[\w]{1,40}$/.test(code) ? ` (${code})` : '';
}
