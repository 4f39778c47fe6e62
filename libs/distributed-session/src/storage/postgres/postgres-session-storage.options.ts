import { IfGiven, IsDuration, IsOneOf, optionRule } from '../../options/option-rules.js';
import { nestedErrors, validateOptions, withoutNulls } from '../../options/validate-options.js';
import type { PostgresPool } from './connection/postgres-pool.js';
import { ConnectionOptions, type PostgresConnectionOptions } from './postgres-connection.options.js';

/** PostgreSQL truncates longer names. */
const MAX_NAME_BYTES = 63;
const MIN_DURATION_MS = 10;
const MAX_DURATION_MS = 600_000;

/** The schema and prefix of the tables. The initial values are the defaults. */
export class PostgresSchemaOptions {
  /**
   * The schema of the tables.
   *
   * @default 'public'
   */
  @optionRule('isSchemaName', isSchemaName, `must be a name of 1 to ${MAX_NAME_BYTES} bytes`, 'a string')
  readonly schema: string = 'public';

  /**
   * The prefix of all tables and functions: up to 30 lower-case letters, digits and `_`.
   *
   * @default 'distributed_'
   */
  @optionRule(
    'isTablePrefix',
    (value) => typeof value === 'string' && /^[a-z_][a-z0-9_]{0,29}$/.test(value),
    'must consist of 1 to 30 lower-case letters, digits or "_", and must not begin with a digit',
    'a string',
  )
  readonly tablePrefix: string = 'distributed_';
}

/** Options of `PostgresSessionStorage`. The initial values are the defaults. Durations are in milliseconds. */
export class ResolvedPostgresOptions extends PostgresSchemaOptions {
  /** `postgres://user:password@host:5432/database`, with `?sslmode=verify-full` for TLS. */
  @IfGiven()
  @optionRule('isPostgresUrl', isPostgresUrl, 'must look like postgres://user:password@host:5432/database', 'a string')
  readonly url?: string;

  /** The server and the number of connections, instead of the url or in addition to it. */
  @IfGiven()
  @optionRule('isObject', isObject, 'must be an object, such as { host, database, user, password }')
  readonly options?: PostgresConnectionOptions;

  /** Your own pool, instead of `url` and `options`. It is not closed here; a warning names its unsafe settings. */
  @IfGiven()
  @optionRule('isPool', isPool, 'must be a Pool of pg')
  readonly pool?: PostgresPool;

  /**
   * The address of the change feed's connection, if it differs from the url: past a pooler in transaction mode, through
   * which no notifications arrive. What this url omits, such as the password, is as for the other connections.
   */
  @IfGiven()
  @optionRule('isPostgresUrl', isPostgresUrl, 'must look like postgres://user:password@host:5432/database', 'a string')
  readonly feedUrl?: string;

  /**
   * Reads changes at this interval, instead of waiting for notifications: behind a pooler in transaction mode, where no
   * direct connection is possible. Changes arrive up to this much later.
   */
  @IfGiven()
  @IsDuration(MIN_DURATION_MS, MAX_DURATION_MS)
  readonly feedPollIntervalMs?: number;

  /**
   * `detect` finds out at `connect()` whether a pooler shares server sessions between clients; `transaction` states that
   * one does, for poolers that cannot be detected.
   *
   * @default 'detect'; 'transaction' if the url has `?pgbouncer=true`
   */
  @IsOneOf(['detect', 'transaction'])
  readonly pooling: 'detect' | 'transaction' = 'detect';

  /**
   * Handling of an outdated schema: `auto` migrates it, `check` makes `connect()` throw.
   *
   * @default 'auto'
   */
  @IsOneOf(['auto', 'check'])
  readonly migrate: 'auto' | 'check' = 'auto';

  /**
   * The maximum duration of a call.
   *
   * @default 1_000
   */
  @IsDuration(MIN_DURATION_MS, MAX_DURATION_MS)
  readonly deadlineMs: number = 1_000;

  /**
   * The maximum time that `connect()` waits for a server that is starting, or for a migration.
   *
   * @default 10_000
   */
  @IsDuration(MIN_DURATION_MS, MAX_DURATION_MS)
  readonly connectDeadlineMs: number = 10_000;

  /**
   * The interval of the heartbeats that show that the change feed works.
   *
   * @default 1_000
   */
  @IsDuration(MIN_DURATION_MS, MAX_DURATION_MS)
  readonly heartbeatIntervalMs: number = 1_000;
}

/** The options of a caller: `url`, `options` or both, or `pool`; and those that override the defaults. */
export type PostgresSessionStorageOptions = Partial<ResolvedPostgresOptions>;

/**
 * Validates the options once, fills in the defaults and freezes the result. An option that is `null` keeps its default.
 *
 * @throws {OptionsError} with every error at once.
 */
export function resolvePostgresOptions(given: PostgresSessionStorageOptions): ResolvedPostgresOptions {
  const present = withoutNulls(given);
  const { options } = present;
  const all = {
    ...(isForPooler(present.url) && { pooling: 'transaction' }),
    ...present,
    ...(isObject(options) && { options: Object.freeze(withoutNulls(options)) }),
  };
  return Object.freeze(validateOptions('PostgresSessionStorage', ResolvedPostgresOptions, all, serverErrors));
}

function serverErrors({ url, options, pool, feedUrl, feedPollIntervalMs }: ResolvedPostgresOptions): string[] {
  if (feedUrl !== undefined && feedPollIntervalMs !== undefined) {
    return ['feedPollIntervalMs cannot be combined with feedUrl: set one or the other'];
  }
  const isServer = url !== undefined || options !== undefined;
  if (pool !== undefined && isServer) return ['pool cannot be combined with url or options: set one or the other'];
  if (pool === undefined && !isServer) return ['one of url, options and pool is required: none is set'];
  return isObject(options) ? nestedErrors('options', ConnectionOptions, options) : [];
}

function isSchemaName(value: unknown): boolean {
  const isName = typeof value === 'string' && value !== '' && !value.includes('\0');
  return isName && Buffer.byteLength(value) <= MAX_NAME_BYTES;
}

function isPostgresUrl(value: unknown): boolean {
  return typeof value === 'string' && URL.canParse(value) && /^postgres(ql)?:$/.test(new URL(value).protocol);
}

/** The parameter by which Prisma's urls announce a pooler in transaction mode. */
function isForPooler(url: unknown): boolean {
  return isPostgresUrl(url) && new URL(url as string).searchParams.get('pgbouncer') === 'true';
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function isPool(value: unknown): boolean {
  const { connect, on } = Object(value) as Partial<PostgresPool>;
  return typeof connect === 'function' && typeof on === 'function';
}
