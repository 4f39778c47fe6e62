import { Transform } from 'class-transformer';
import { IsIn, IsOptional, Length, Matches } from 'class-validator';
import { MAX_DURATION_MS, TIMEOUT_PRESETS, type TimeoutPreset } from 'nestjs-distributed-session';
import {
  IsDurationOrOff,
  IsFeedUrl,
  IsKey,
  IsSecret,
  IsServiceId,
  IsStorageUrl,
  IsTrustedProxies,
  IsWholeNumber,
  offAsNull,
} from './environment-rules.js';
import { isLoopback } from './loopback.js';

const MINUTE = 60_000;
const PRESETS = Object.keys(TIMEOUT_PRESETS);

export const STORAGE_KINDS = ['memory', 'redis', 'postgres'] as const;
export type StorageKind = (typeof STORAGE_KINDS)[number];

/**
 * The environment variables of the session service. The initial values are the defaults; an empty or blank variable
 * counts as not set. Durations are in milliseconds. A variable in {@link SECRET_VARIABLES} may also be read from a file
 * whose path is in the variable with the suffix `_FILE`, and except for the URL it may have several entries while it is
 * changed ({@link keyEntries}).
 */
export class Environment {
  /** `production` requires an administrator secret, and logs JSON. So does any {@link HOST} that is not loopback. */
  @IsIn(['development', 'production', 'test'], { message: '$property must be development, production or test' })
  readonly NODE_ENV: string = 'development';

  /** The address to listen on. Defaults to `127.0.0.1`; in production to `0.0.0.0`, all addresses. */
  @IsOptional()
  @Matches(/^[\w.:-]{1,255}$/, { message: '$property must be a host name or an address, such as 0.0.0.0' })
  readonly HOST?: string = undefined;

  /** The port to listen on; 0 selects a free port. */
  @IsWholeNumber(0, 65_535)
  readonly PORT: number = 3_000;

  /** The HTTP server that Nest runs on. */
  @IsIn(['express', 'fastify'], { message: '$property must be express or fastify' })
  readonly HTTP_ADAPTER: 'express' | 'fastify' = 'express';

  /** The proxies whose `X-Forwarded-For` is trusted: their number, or their comma-separated addresses. */
  @IsOptional()
  @IsTrustedProxies()
  readonly TRUST_PROXY?: string = undefined;

  /** The maximum size of a request body, in bytes. */
  @IsWholeNumber(1_024, 16_777_216)
  readonly BODY_LIMIT_BYTES: number = 262_144;

  /** The kind of store for the sessions. */
  @IsIn(STORAGE_KINDS, { message: `$property must be one of ${STORAGE_KINDS.join(', ')}` })
  readonly SESSION_STORAGE: StorageKind = 'memory';

  /**
   * The URL of the store, including its password: `redis://…`, `redis-sentinel://…` or `redis-cluster://…` (`rediss…`
   * for TLS), or `postgres://…`. Not supported with `memory`.
   */
  @IsStorageUrl()
  readonly SESSION_STORAGE_URL?: string = undefined;

  /** The prefix of all keys in Redis. Must be the same in all processes that share the sessions. */
  @Matches(/^[\w.:-]{1,64}$/, { message: '$property must be 1 to 64 letters, digits, "_", ".", "-" or ":"' })
  readonly SESSION_STORAGE_KEY_PREFIX: string = 'ds';

  /** Prevents guessing users from keys in Redis. Must be the same in all processes that share the sessions. */
  @IsKey(16)
  readonly SESSION_STORAGE_TAG_KEY?: string = undefined;

  /** The schema of the tables in PostgreSQL. Must be the same in all processes that share the sessions. */
  @Length(1, 63, { message: '$property must be 1 to 63 characters long' })
  readonly SESSION_STORAGE_SCHEMA: string = 'public';

  /** The prefix of the table names in PostgreSQL. Must be the same in all processes that share the sessions. */
  @Matches(/^[a-z_][a-z0-9_]{0,29}$/, { message: '$property must be 1 to 30 lower-case letters, digits or "_"' })
  readonly SESSION_STORAGE_TABLE_PREFIX: string = 'distributed_';

  /** The URL of the change feed's connection to PostgreSQL: past a pooler in transaction mode. */
  @IsFeedUrl()
  readonly SESSION_STORAGE_FEED_URL?: string = undefined;

  /** The interval of reads that replace the feed's connection, where nothing leads past such a pooler. */
  @IsWholeNumber(10, 600_000)
  readonly SESSION_STORAGE_FEED_POLL_MS?: number = undefined;

  /** `transaction` states that a pooler shares server sessions of PostgreSQL; `detect` finds it out at the start. */
  @IsOptional()
  @IsIn(['detect', 'transaction'], { message: '$property must be detect or transaction' })
  readonly SESSION_STORAGE_POOLING?: 'detect' | 'transaction' = undefined;

  /** `auto` migrates the PostgreSQL schema at the start; `check` fails the start if the schema is not up to date. */
  @IsIn(['auto', 'check'], { message: '$property must be auto or check' })
  readonly SESSION_STORAGE_MIGRATE: 'auto' | 'check' = 'auto';

  /** The service id of this process, recorded when it creates or ends sessions itself. */
  @IsServiceId()
  readonly SERVICE_ID: string = 'session-service';

  /** The session timeouts. Each of the two variables below overrides one of them. */
  @IsIn(PRESETS, { message: `$property must be one of ${PRESETS.join(', ')}` })
  readonly SESSION_TIMEOUT_PRESET: TimeoutPreset = 'aal2';

  /** How long a session lives after its last access, or `off`. */
  @Transform(offAsNull)
  @IsDurationOrOff()
  readonly SESSION_IDLE_TIMEOUT_MS?: number | null = undefined;

  /** The maximum lifetime of a session, or `off`. */
  @Transform(offAsNull)
  @IsDurationOrOff()
  readonly SESSION_ABSOLUTE_TIMEOUT_MS?: number | null = undefined;

  /** The longest idle timeout that a session may have, or `off` for any. Defaults to the idle timeout. */
  @Transform(offAsNull)
  @IsDurationOrOff()
  readonly SESSION_MAX_IDLE_TIMEOUT_MS?: number | null = undefined;

  /** The longest lifetime that a session may have, or `off` for any. Defaults to the absolute timeout. */
  @Transform(offAsNull)
  @IsDurationOrOff()
  readonly SESSION_MAX_ABSOLUTE_TIMEOUT_MS?: number | null = undefined;

  /** The maximum number of sessions per user. */
  @IsWholeNumber(1, 1_000)
  readonly SESSION_MAX_PER_LOGIN: number = 100;

  /** The maximum number of sessions per user and device label. Defaults to the maximum per user. */
  @IsOptional()
  @IsWholeNumber(1, 1_000)
  readonly SESSION_MAX_PER_DEVICE?: number = undefined;

  /** Behaviour at a login that exceeds a limit: end the oldest or the least recently used session, or reject the login. */
  @IsIn(['end-oldest', 'end-idlest', 'reject'], { message: '$property must be end-oldest, end-idlest or reject' })
  readonly SESSION_ON_LIMIT: 'end-oldest' | 'end-idlest' | 'reject' = 'end-oldest';

  /** How long the previous credential still works after a rotation. */
  @IsWholeNumber(0, MAX_DURATION_MS)
  readonly SESSION_ROTATION_GRACE_MS: number = 10_000;

  /** How long the history keeps an ended session. */
  @IsWholeNumber(0, MAX_DURATION_MS)
  readonly SESSION_HISTORY_RETENTION_MS: number = 24 * 60 * MINUTE;

  /** The key for the hashes of service secrets, at least 16 characters. */
  @IsKey(16)
  readonly SECRET_PEPPER?: string = undefined;

  /** The secret for the digests of session tokens. Defaults to the pepper. The same in all processes that share the sessions. */
  @IsKey(32)
  readonly TOKEN_KEY?: string = undefined;

  /** The id of the administrator, a service with every permission. */
  @IsServiceId()
  readonly ADMIN_SERVICE_ID: string = 'admin';

  /** The administrator's secret. Without it, development generates one at every start; production does not start. */
  @IsSecret(2)
  readonly ADMIN_SECRET?: string = undefined;

  /** The bearer token for `/metrics`. Without it, `/metrics` is open in development and disabled in production. */
  @IsSecret(10)
  readonly METRICS_TOKEN?: string = undefined;

  /** `on` serves the OpenAPI page at `/docs`. */
  @IsIn(['on', 'off'], { message: '$property must be on or off' })
  readonly DOCS: 'on' | 'off' = 'on';

  /** The format of log lines. Defaults to `text`; in production to `json`. */
  @IsOptional()
  @IsIn(['json', 'text'], { message: '$property must be json or text' })
  readonly LOG_FORMAT?: 'json' | 'text' = undefined;

  /** The minimum level of log lines. */
  @IsIn(['debug', 'log', 'warn', 'error'], { message: '$property must be debug, log, warn or error' })
  readonly LOG_LEVEL: 'debug' | 'log' | 'warn' | 'error' = 'log';

  /** The heartbeat interval of event streams. */
  @IsWholeNumber(100, 5 * MINUTE)
  readonly EVENTS_HEARTBEAT_MS: number = 15_000;

  /** The number of events kept for streams that resume. */
  @IsWholeNumber(1, 1_000_000)
  readonly EVENTS_HELD: number = 10_000;

  /** The maximum number of open event streams of a service. */
  @IsWholeNumber(1, 1_000)
  readonly EVENTS_MAX_PER_SERVICE: number = 20;

  /** The maximum lifetime of an event stream. The client then resumes it, and authenticates again. */
  @IsWholeNumber(100, 24 * 60 * MINUTE)
  readonly EVENTS_MAX_STREAM_MS: number = 15 * MINUTE;

  /** How long the response to an `Idempotency-Key` is kept. */
  @IsWholeNumber(1_000, 24 * 60 * MINUTE)
  readonly IDEMPOTENCY_RETENTION_MS: number = 10 * MINUTE;

  /** How long the process serves requests after SIGTERM although it is not ready. Defaults to 0; in production to 5,000. */
  @IsWholeNumber(0, 5 * MINUTE)
  readonly SHUTDOWN_DELAY_MS?: number = undefined;

  /** How long in-flight requests may take after the delay. */
  @IsWholeNumber(0, 5 * MINUTE)
  readonly SHUTDOWN_TIMEOUT_MS: number = 10_000;

  /** Whether the rules of production apply: also wherever other machines can reach the service. */
  get isProduction(): boolean {
    return this.NODE_ENV === 'production' || !isLoopback(this.host);
  }

  get host(): string {
    return this.HOST ?? (this.NODE_ENV === 'production' ? '0.0.0.0' : '127.0.0.1');
  }

  get shutdownDelayMs(): number {
    return this.SHUTDOWN_DELAY_MS ?? (this.isProduction ? 5_000 : 0);
  }

  get logFormat(): 'json' | 'text' {
    return this.LOG_FORMAT ?? (this.isProduction ? 'json' : 'text');
  }
}

/** The variables that hold secrets, which may also be read from files. */
export const SECRET_VARIABLES = [
  'ADMIN_SECRET',
  'METRICS_TOKEN',
  'SECRET_PEPPER',
  'SESSION_STORAGE_FEED_URL',
  'SESSION_STORAGE_TAG_KEY',
  'SESSION_STORAGE_URL',
  'TOKEN_KEY',
] as const satisfies (keyof Environment)[];
