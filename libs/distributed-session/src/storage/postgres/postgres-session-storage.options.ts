import type { ConnectionOptions } from 'node:tls';
import { IsIn } from 'class-validator';
import { isWholeNumber } from '../../model/duration.js';
import { IfGiven, IsDuration, optionRule } from '../../options/option-rules.js';
import { validateOptions } from '../../options/validate-options.js';
import type { PostgresPool } from './connection/postgres-pool.js';

/** PostgreSQL truncates longer names. */
const MAX_NAME_BYTES = 63;
const MAX_POOL_SIZE = 1_000;
const MIN_DURATION_MS = 10;
const MAX_DURATION_MS = 600_000;

/** How to connect, and with how many connections. Each option overrides the url and the default. */
export interface PostgresConnectionOptions {
  readonly host?: string;
  readonly port?: number;
  readonly database?: string;
  readonly user?: string;
  /** The password, or a function that returns it: called for each connection, for passwords that expire. */
  readonly password?: string | (() => string | Promise<string>);
  /**
   * `true`, or TLS settings such as `{ ca }`.
   *
   * @default no TLS, unless the url requires it by `sslmode`
   */
  readonly ssl?: boolean | ConnectionOptions;
  /**
   * The maximum number of connections. The change feed uses one more.
   *
   * @default 10
   */
  readonly max?: number;
  /**
   * The time after which an idle connection is closed, in milliseconds.
   *
   * @default 30_000
   */
  readonly idleTimeoutMillis?: number;
  /**
   * The time after which a connection is replaced, in seconds; 0 for never.
   *
   * @default 0
   */
  readonly maxLifetimeSeconds?: number;
  /**
   * The name that the server shows in `pg_stat_activity`.
   *
   * @default 'nestjs-distributed-session'
   */
  readonly application_name?: string;
}

/** Where the tables are. The initial values are the defaults. */
export class PostgresSchemaOptions {
  /**
   * The schema of the tables.
   *
   * @default 'public'
   */
  @optionRule('isSchemaName', isSchemaName, `must be a name of 1 to ${MAX_NAME_BYTES} bytes`)
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
  )
  readonly tablePrefix: string = 'distributed_';
}

/** Options of `PostgresSessionStorage`. The initial values are the defaults. Durations are in milliseconds. */
class PostgresOptions extends PostgresSchemaOptions {
  /** `postgres://user:password@host:5432/database`, with `?sslmode=verify-full` for TLS. */
  @IfGiven()
  @optionRule('isPostgresUrl', isPostgresUrl, 'must look like postgres://user:password@host:5432/database')
  readonly url?: string;

  /** How to connect, instead of the url or in addition to it. */
  @IfGiven()
  @optionRule('isObject', isObject, 'must be an object, such as { host, database, user, password }')
  readonly options?: PostgresConnectionOptions;

  /** Your own pool, instead of `url` and `options`. It is not closed here; a warning names its unsafe settings. */
  @IfGiven()
  @optionRule('isPool', isPool, 'must be a Pool of pg')
  readonly pool?: PostgresPool;

  /**
   * What `connect()` does about a schema that is not up to date: `auto` migrates it, `check` fails.
   *
   * @default 'auto'
   */
  @IsIn(['auto', 'check'], { message: 'migrate must be "auto" or "check"' })
  readonly migrate: 'auto' | 'check' = 'auto';

  /**
   * The maximum duration of a call.
   *
   * @default 1_000
   */
  @IsDuration(MIN_DURATION_MS, MAX_DURATION_MS)
  readonly deadlineMs: number = 1_000;

  /**
   * How long `connect()` waits for a server that is starting, or for a migration.
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
export type PostgresSessionStorageOptions = Partial<PostgresOptions>;

/** Validated options, with their defaults; frozen. */
export type ResolvedPostgresOptions = Readonly<PostgresOptions>;

/**
 * Validates the options once, fills in the defaults and freezes the result. An option that is `null` keeps its default.
 *
 * @throws {OptionsError} with every error at once.
 */
export function resolvePostgresOptions(given: PostgresSessionStorageOptions): ResolvedPostgresOptions {
  const present = Object.fromEntries(Object.entries(given ?? {}).filter(([, value]) => value !== null));
  return Object.freeze(validateOptions('PostgresSessionStorage', PostgresOptions, present, serverErrors));
}

function serverErrors({ url, options, pool }: PostgresOptions): string[] {
  const isServer = url !== undefined || options !== undefined;
  if (pool !== undefined && isServer) return ['pool cannot be combined with url or options: set one or the other'];
  if (pool === undefined && !isServer) return ['one of url, options and pool is required: none is set'];
  const { max } = Object(options) as PostgresConnectionOptions;
  if (max === undefined || isWholeNumber(max, 1, MAX_POOL_SIZE)) return [];
  return [`options.max must be a whole number from 1 to ${MAX_POOL_SIZE}`];
}

function isSchemaName(value: unknown): boolean {
  const isName = typeof value === 'string' && value !== '' && !value.includes('\0');
  return isName && Buffer.byteLength(value) <= MAX_NAME_BYTES;
}

function isPostgresUrl(value: unknown): boolean {
  return typeof value === 'string' && URL.canParse(value) && /^postgres(ql)?:$/.test(new URL(value).protocol);
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}

function isPool(value: unknown): boolean {
  const { connect, on } = Object(value) as Partial<PostgresPool>;
  return typeof connect === 'function' && typeof on === 'function';
}
