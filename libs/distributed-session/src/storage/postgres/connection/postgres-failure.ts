import { DistributedSessionError } from '../../../errors/distributed-session.error.js';
import { StorageCorruptError, StorageUnavailableError } from '../../../errors/storage.errors.js';
import { type FailedCall, WriteRejectedError, withoutReply } from '../../shared/storage-failure.js';

/**
 * A statement that may be sent again: two transactions conflicted, and one was rolled back; or the server had closed the
 * connection, because it was idle, before the statement arrived.
 */
const RETRYABLE: readonly string[] = ['40001', '40P01', '57P05'];
/** The same, in a pooler's words. */
const IDLE_CLIENT = 'client_idle_timeout';

/** The server accepts no writes, or not from this user: reading still works. */
const WRITE_REJECTIONS: Readonly<Record<string, string>> = {
  '25006': 'accepts no writes: it is a standby, or its transactions are read-only. Set the address of the primary.',
  '42501': 'denies its user this privilege. See docs/postgres-grants for what is required.',
  '53100': 'has no disk space left. Free some; reading sessions still works.',
};

/** Why nothing was applied, by SQLSTATE or its class (PostgreSQL manual, appendix A). */
const REJECTIONS: Readonly<Record<string, string>> = {
  '55P03': 'timed out waiting for a lock held by another transaction. Find it in pg_stat_activity. Try again.',
  '57014': 'cancelled the statement at its timeout. Try again shortly.',
  '53300': 'has no connections left: raise max_connections, or reduce the size of the pools.',
  '57P03': 'is starting up or shutting down. Try again shortly.',
  '42P01': 'lacks tables of the session storage: run the migrations.',
  '42883': 'lacks functions of the session storage: run the migrations.',
  '42703': 'lacks columns of the session storage: run the migrations.',
  P0002: 'lacks rows of its table of locks: docs/postgres.md shows how to restore them.',
  '3F000': 'lacks the schema of the session storage: run the migrations.',
  '28P01': 'rejects the user or the password.',
  '28000': 'rejects the user: see pg_hba.conf.',
  '3D000': 'does not have this database.',
  '54000': 'rejects a value that is too long for an index: the login id.',
  '53': "lacks resources. See the server's log.",
};

/** The class of errors about damaged data. */
const CORRUPT = 'XX';
/** The server ended the connection: perhaps after the commit, before its reply. */
const CONNECTION_ENDED: readonly string[] = ['57P01', '57P02', '57P05'];
/** The class of connection errors: also of poolers, which report most of their own errors as 08P01. */
const CONNECTION_CLASS = '08';
/** What poolers say when they have not passed a statement on. */
const NOT_PASSED_ON = /^(?:query_wait_timeout|client_idle_timeout|no more connections allowed)/;
/** A prepared statement does not exist, or exists already: another client has used the server session. */
const LOST_STATEMENT: readonly string[] = ['26000', '42P05'];
/** Words of a server or a pooler that refuses a connection: short, and before any row was read. */
const PLAIN_WORDS = /^[\w ().:?,'"=-]{1,120}$/;

/** The SQLSTATE of a server's error, or `undefined` for any other error. */
export function sqlStateOf(error: unknown): string | undefined {
  const { code, severity } = (error ?? {}) as { code?: unknown; severity?: unknown };
  return typeof code === 'string' && typeof severity === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : undefined;
}

export function isRetryable(error: unknown): boolean {
  const state = sqlStateOf(error) ?? '';
  return RETRYABLE.includes(state) || (state === '08P01' && (error as Error).message === IDLE_CLIENT);
}

/** Returns whether a connection must be closed after an error: it is unusable, or leads to a server that should not be used. */
export function endsConnection(error: unknown): boolean {
  const state = sqlStateOf(error);
  return state === undefined || state === '25006' || state === '57P03' || isConnectionLost(state) || isFatal(error);
}

/** Returns whether a named statement was not run, because a pooler shares the server session. */
export function isStatementLost(error: unknown): boolean {
  return LOST_STATEMENT.includes(sqlStateOf(error) ?? '');
}

/** The words and the SQLSTATE with which a connection was refused or closed; an empty text for any other error. */
export function refusalOf(error: unknown): string {
  const state = sqlStateOf(error);
  if (state === undefined || !isFatal(error)) return '';
  const { message } = error as Error;
  return PLAIN_WORDS.test(message) ? ` ("${message}", SQLSTATE ${state})` : ` (SQLSTATE ${state})`;
}

function isConnectionLost(state: string): boolean {
  return CONNECTION_ENDED.includes(state) || state.startsWith(CONNECTION_CLASS);
}

/** A server translates the severity; those of poolers are in English. */
function isFatal(error: unknown): boolean {
  return (error as { severity?: unknown } | undefined)?.severity === 'FATAL';
}

/** Errors of a server or pooler that may pass: its resources, its state, the connection. */
const PASSING = /^(?:08|40|53|55|57|25006)/;

/** Whether the server rejected a statement, and will again. */
export function isLasting(error: unknown): boolean {
  const state = sqlStateOf(error);
  return state !== undefined && !PASSING.test(state);
}

/** Why changes arrive late. */
export const SILENT_LISTEN =
  'PostgreSQL delivers no notifications to the change feed. It reads changes at every heartbeat instead, so they arrive ' +
  'later. A pooler in transaction mode is a possible cause: set feedUrl to an address past it.';

/** Why the change feed cannot be opened: a sentence with the code of the server's error, or of the failed connection. */
export function feedProblem(error: unknown): string {
  const state = sqlStateOf(error);
  const reason = state ?? (/\w+/.exec(reasonOf(error))?.[0] || 'no reply');
  const explanation =
    state === undefined
      ? 'cannot be reached by its connection.'
      : (WRITE_REJECTIONS[state] ?? REJECTIONS[state] ?? REJECTIONS[state.slice(0, 2)] ?? 'rejects LISTEN.');
  return `The change feed cannot listen (${reason}): PostgreSQL ${explanation} Changes made by other processes are not received.`;
}

/**
 * The library's error for a failure of the client or the server. It carries only the kind of the failure: PostgreSQL's
 * messages and details can contain the values of a row (CWE-532).
 */
export function toPostgresError(error: unknown, call: FailedCall): DistributedSessionError {
  if (error instanceof DistributedSessionError) return error;
  const [state, refusal] = [sqlStateOf(error), refusalOf(error)];
  if (state !== undefined && !isConnectionLost(state)) return rejection(state, refusal);
  if (refusal !== '' && (!call.wasSent || NOT_PASSED_ON.test((error as Error).message))) {
    return new StorageUnavailableError(`PostgreSQL, or a pooler in front of it, closed the connection${refusal}.`);
  }
  return withoutReply(call, 'PostgreSQL', reasonOf(error));
}

function rejection(state: string, refusal: string): DistributedSessionError {
  const writeRejection = WRITE_REJECTIONS[state];
  if (writeRejection) return new WriteRejectedError(`PostgreSQL ${writeRejection}`);
  if (state.startsWith(CORRUPT) && refusal === '') {
    return new StorageCorruptError(`PostgreSQL cannot read its own data (SQLSTATE ${state}). See the server's log.`);
  }
  const otherwise = refusal === '' ? `rejected a statement (SQLSTATE ${state}).` : `closed the connection${refusal}.`;
  const reason = REJECTIONS[state] ?? REJECTIONS[state.slice(0, 2)] ?? otherwise;
  return new StorageUnavailableError(`PostgreSQL ${reason}`);
}

/** The code of a failed connection, in parentheses. It cannot contain a value. */
export function reasonOf(error: unknown): string {
  const { code } = (error ?? {}) as { code?: unknown };
  return typeof code === 'string' && /^[\w]{1,40}$/.test(code) ? ` (${code})` : '';
}
