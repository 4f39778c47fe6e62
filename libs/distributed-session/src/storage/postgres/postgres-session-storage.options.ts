import type { ConnectionOptions } from 'node:tls';
import { OptionsError } from '../../errors/options.error.js';
import type { PostgresPool } from './connection/postgres-pool.js';

/** How to connect, and with how many connections. They go over what the url says, and over the defaults. */
export interface PostgresConnectionOptions {
  readonly host?: string;
  readonly port?: number;
  readonly database?: string;
  readonly user?: string;
  /** A function is asked for each connection, for passwords that expire. */
  readonly password?: string | (() => string | Promise<string>);
  /** `true`, or settings of TLS such as `{ ca }`. Default: none, unless the url asks for it by `sslmode`. */
  readonly ssl?: boolean | ConnectionOptions;
  /** How many connections at the most, beside that of the change feed. Default 10. */
  readonly max?: number;
  /** After how long a connection that is not needed is closed, in milliseconds. Default 30,000. */
  readonly idleTimeoutMillis?: number;
  /** After how long a connection is replaced by another, in seconds. Default 0: never. */
  readonly maxLifetimeSeconds?: number;
  /** What the server shows in `pg_stat_activity`. Default `nestjs-distributed-session`. */
  readonly application_name?: string;
}

/** Where the server is: a url, connection options or both; or a pool. */
export interface PostgresServerOptions {
  /** `postgres://user:password@host:5432/database`, with `?sslmode=verify-full` for TLS. */
  readonly url?: string;
  readonly options?: PostgresConnectionOptions;
  /** A pool of your own. It is not ended here; settings of it that are dangerous are named in a warning. */
  readonly pool?: PostgresPool;
}

export interface PostgresSessionStorageOptions extends PostgresServerOptions {
  /** The schema of the tables. Default `public`. */
  readonly schema?: string;
  /** What the names of tables and functions begin with: lower-case letters, digits and `_`. Default `distributed_`. */
  readonly tablePrefix?: string;
  /** `auto`: `connect()` brings the schema up to date. `check`: it refuses one that is not. Default `auto`. */
  readonly migrate?: 'auto' | 'check';
  /** How long a call may take, in milliseconds. Default 1,000. */
  readonly deadlineMs?: number;
  /** How long `connect()` waits for a server that is starting, in milliseconds. Default 10,000. */
  readonly connectDeadlineMs?: number;
  /** How often the change feed shows that it works, in milliseconds. Default 1,000. */
  readonly heartbeatIntervalMs?: number;
}

/** The options with their defaults, checked. */
export type ResolvedPostgresOptions = PostgresServerOptions &
  Required<Omit<PostgresSessionStorageOptions, keyof PostgresServerOptions>>;

const SERVERS = ['url', 'options', 'pool'] as const satisfies (keyof PostgresServerOptions)[];
const DURATIONS = ['deadlineMs', 'connectDeadlineMs', 'heartbeatIntervalMs'] as const;
/** Where the tables are, unless it is said otherwise. */
export const SCHEMA_DEFAULTS = { schema: 'public', tablePrefix: 'distributed_' } as const;
const DEFAULTS = {
  ...SCHEMA_DEFAULTS,
  migrate: 'auto',
  deadlineMs: 1_000,
  connectDeadlineMs: 10_000,
  heartbeatIntervalMs: 1_000,
} as const;
const KNOWN: readonly string[] = [...SERVERS, ...Object.keys(DEFAULTS)];
/** PostgreSQL cuts longer names off. */
const MAX_NAME_BYTES = 63;
const MAX_POOL_SIZE = 1_000;

/** Checks the options; throws an {@link OptionsError} that names every fault. */
export function resolvePostgresOptions(given: PostgresSessionStorageOptions): ResolvedPostgresOptions {
  const present = Object.fromEntries(
    Object.entries(given ?? {}).filter(([, value]) => value !== undefined && value !== null),
  );
  const options = { ...DEFAULTS, ...present } as ResolvedPostgresOptions;
  const faults = [
    ...unknownNames(present),
    ...serverFaults(options),
    ...schemaFaults(options),
    ...valueFaults(options),
  ];
  if (faults.length > 0) throw new OptionsError('The options of PostgresSessionStorage are not usable:', faults);
  return Object.freeze(options);
}

function unknownNames(present: object): string[] {
  return Object.keys(present)
    .filter((name) => !KNOWN.includes(name))
    .map((name) => `${name} is no option. Known options: ${KNOWN.join(', ')}`);
}

function serverFaults({ url, options, pool }: PostgresServerOptions): string[] {
  if (pool !== undefined) {
    if (url !== undefined || options !== undefined) return ['pool is given, and url or options too: give one of them'];
    const isPool = typeof pool === 'object' && typeof pool.connect === 'function' && typeof pool.on === 'function';
    return isPool ? [] : ['pool must be a Pool of pg'];
  }
  if (url === undefined && options === undefined) {
    return ['one of url, options and pool says where PostgreSQL is; none is given'];
  }
  return [...urlFaults(url), ...poolFaults(options)];
}

function urlFaults(url: unknown): string[] {
  if (url === undefined) return [];
  const form = 'url must be like postgres://user:password@host:5432/database';
  // Not repeated in the message: there is a password in it.
  if (typeof url !== 'string' || !URL.canParse(url)) return [form];
  return /^postgres(ql)?:$/.test(new URL(url).protocol) ? [] : [form];
}

function poolFaults(options: unknown): string[] {
  if (options === undefined) return [];
  if (typeof options !== 'object') return ['options must be an object, such as { host, database, user, password }'];
  const { max } = options as PostgresConnectionOptions;
  if (max === undefined || (Number.isSafeInteger(max) && max >= 1 && max <= MAX_POOL_SIZE)) return [];
  return [`options.max must be a whole number from 1 to ${MAX_POOL_SIZE}`];
}

/** What is wrong with the names of the tables. */
export function schemaFaults({ schema, tablePrefix }: { schema: unknown; tablePrefix: unknown }): string[] {
  const faults: string[] = [];
  const isName = typeof schema === 'string' && schema !== '' && !schema.includes('\0');
  if (!isName || Buffer.byteLength(schema) > MAX_NAME_BYTES) {
    faults.push(`schema must be a name of 1 to ${MAX_NAME_BYTES} bytes`);
  }
  if (typeof tablePrefix !== 'string' || !/^[a-z_][a-z0-9_]{0,29}$/.test(tablePrefix)) {
    faults.push('tablePrefix must be 1 to 30 lower-case letters, digits or "_", and not begin with a digit');
  }
  return faults;
}

function valueFaults(options: ResolvedPostgresOptions): string[] {
  const faults: string[] = [];
  for (const name of DURATIONS) {
    const value: unknown = options[name];
    if (!Number.isSafeInteger(value) || (value as number) < 10 || (value as number) > 600_000) {
      faults.push(`${name} must be a whole number of milliseconds from 10 to 600,000`);
    }
  }
  if (!['auto', 'check'].includes(options.migrate)) faults.push('migrate must be "auto" or "check"');
  return faults;
}
