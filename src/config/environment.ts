import { Transform } from 'class-transformer';
import { IsIn, IsOptional, Length, Matches } from 'class-validator';
import { MAX_DURATION_MS, TIMEOUT_PRESETS, type TimeoutPreset } from 'nestjs-distributed-session';
import {
  IsDurationOrOff,
  IsSecret,
  IsServiceId,
  IsStorageUrl,
  IsTrustedProxies,
  IsWholeNumber,
  offAsNull,
} from './environment-rules.js';

const MINUTE = 60_000;
const PRESETS = Object.keys(TIMEOUT_PRESETS);

export const STORAGE_KINDS = ['memory', 'redis', 'postgres'] as const;
export type StorageKind = (typeof STORAGE_KINDS)[number];

/**
 * The environment variables of the session service. The values below are the defaults; a variable that is empty or
 * blank counts as not set. Durations are milliseconds. A variable listed in {@link SECRET_VARIABLES} may also come from
 * a file: the path of it in the variable of the same name and `_FILE`.
 */
export class Environment {
  /** `production` asks for an administrator secret, and logs JSON. */
  @IsIn(['development', 'production', 'test'], { message: '$property must be development, production or test' })
  readonly NODE_ENV: string = 'development';

  /** The address to listen on. Default: `127.0.0.1`; in production all addresses, `0.0.0.0`. */
  @IsOptional()
  @Matches(/^[\w.:-]{1,255}$/, { message: '$property must be a host name or an address, such as 0.0.0.0' })
  readonly HOST?: string = undefined;

  /** The port to listen on; 0 takes a free one. */
  @IsWholeNumber(0, 65_535)
  readonly PORT: number = 3_000;

  /** The HTTP server under Nest. */
  @IsIn(['express', 'fastify'], { message: '$property must be express or fastify' })
  readonly HTTP_ADAPTER: 'express' | 'fastify' = 'express';

  /** Whose `X-Forwarded-For` is believed: the number of proxies in front, or their addresses, with commas between. */
  @IsOptional()
  @IsTrustedProxies()
  readonly TRUST_PROXY?: string = undefined;

  /** The largest request body, in bytes. */
  @IsWholeNumber(1_024, 16_777_216)
  readonly BODY_LIMIT_BYTES: number = 262_144;

  /** Where the sessions live. */
  @IsIn(STORAGE_KINDS, { message: `$property must be one of ${STORAGE_KINDS.join(', ')}` })
  readonly SESSION_STORAGE: StorageKind = 'memory';

  /**
   * Where the store is, with its password: `redis://…`, `redis-sentinel://…` or `redis-cluster://…` (`rediss…` for
   * TLS), or `postgres://…`. Not with `memory`.
   */
  @IsStorageUrl()
  readonly SESSION_STORAGE_URL?: string = undefined;

  /** What the keys in Redis begin with: the same for all that share the sessions. */
  @Matches(/^[\w.:-]{1,64}$/, { message: '$property must be 1 to 64 letters, digits, "_", ".", "-" or ":"' })
  readonly SESSION_STORAGE_KEY_PREFIX: string = 'ds';

  /** Keeps login ids from being guessed from keys in Redis: the same for all that share the sessions. */
  @IsOptional()
  @Length(16, 1_024, { message: '$property must be 16 to 1024 characters long' })
  readonly SESSION_STORAGE_TAG_KEY?: string = undefined;

  /** The schema of the tables in PostgreSQL: the same for all that share the sessions. */
  @Length(1, 63, { message: '$property must be 1 to 63 characters long' })
  readonly SESSION_STORAGE_SCHEMA: string = 'public';

  /** What the names of the tables in PostgreSQL begin with: the same for all that share the sessions. */
  @Matches(/^[a-z_][a-z0-9_]{0,29}$/, { message: '$property must be 1 to 30 lower-case letters, digits or "_"' })
  readonly SESSION_STORAGE_TABLE_PREFIX: string = 'distributed_';

  /** Whether the schema of PostgreSQL is brought up to date at start: `auto`, or `check` to refuse one that is not. */
  @IsIn(['auto', 'check'], { message: '$property must be auto or check' })
  readonly SESSION_STORAGE_MIGRATE: 'auto' | 'check' = 'auto';

  /** The id by which this service ends and creates sessions itself. */
  @IsServiceId()
  readonly SERVICE_ID: string = 'session-service';

  /** The timeouts of sessions, by name; the two below go over it one by one. */
  @IsIn(PRESETS, { message: `$property must be one of ${PRESETS.join(', ')}` })
  readonly SESSION_TIMEOUT_PRESET: TimeoutPreset = 'aal2';

  /** How long a session outlives its last access, or `off`. */
  @Transform(offAsNull)
  @IsDurationOrOff()
  readonly SESSION_IDLE_TIMEOUT_MS?: number | null = undefined;

  /** How long a session lives at the most, or `off`. */
  @Transform(offAsNull)
  @IsDurationOrOff()
  readonly SESSION_ABSOLUTE_TIMEOUT_MS?: number | null = undefined;

  /** How many sessions a login may have. */
  @IsWholeNumber(1, 1_000)
  readonly SESSION_MAX_PER_LOGIN: number = 100;

  /** How many sessions a login may have with one device label. Default: as many as the login. */
  @IsOptional()
  @IsWholeNumber(1, 1_000)
  readonly SESSION_MAX_PER_DEVICE?: number = undefined;

  /** What a login beyond a limit does. */
  @IsIn(['end-oldest', 'reject'], { message: '$property must be end-oldest or reject' })
  readonly SESSION_ON_LIMIT: 'end-oldest' | 'reject' = 'end-oldest';

  /** How long a credential that was rotated away is followed. */
  @IsWholeNumber(0, MAX_DURATION_MS)
  readonly SESSION_ROTATION_GRACE_MS: number = 10_000;

  /** How long it is known why a session ended. */
  @IsWholeNumber(0, MAX_DURATION_MS)
  readonly SESSION_HISTORY_RETENTION_MS: number = 24 * 60 * MINUTE;

  /** The key that the digests of service secrets are made under, 16 characters or more. */
  @IsOptional()
  @Length(16, 1_024, { message: '$property must be 16 to 1024 characters long' })
  readonly SECRET_PEPPER?: string = undefined;

  /** The id of the administrator: a service that may do everything. */
  @IsServiceId()
  readonly ADMIN_SERVICE_ID: string = 'admin';

  /** The secret of the administrator. Without it, development makes one at each start; production does not start. */
  @IsSecret()
  readonly ADMIN_SECRET?: string = undefined;

  /** What a scraper of `/metrics` sends as bearer token. Without it, `/metrics` is open, and closed in production. */
  @IsSecret()
  readonly METRICS_TOKEN?: string = undefined;

  /** `on` serves the OpenAPI page at `/docs`. */
  @IsIn(['on', 'off'], { message: '$property must be on or off' })
  readonly DOCS: 'on' | 'off' = 'on';

  /** How log lines look. Default: `text`, in production `json`. */
  @IsOptional()
  @IsIn(['json', 'text'], { message: '$property must be json or text' })
  readonly LOG_FORMAT?: 'json' | 'text' = undefined;

  /** The least important lines that are logged. */
  @IsIn(['debug', 'log', 'warn', 'error'], { message: '$property must be debug, log, warn or error' })
  readonly LOG_LEVEL: 'debug' | 'log' | 'warn' | 'error' = 'log';

  /** How often an event stream shows that it is alive. */
  @IsWholeNumber(100, 5 * MINUTE)
  readonly EVENTS_HEARTBEAT_MS: number = 15_000;

  /** How many events are held for streams that resume. */
  @IsWholeNumber(1, 1_000_000)
  readonly EVENTS_HELD: number = 10_000;

  /** How long the answer to an `Idempotency-Key` is remembered. */
  @IsWholeNumber(1_000, 24 * 60 * MINUTE)
  readonly IDEMPOTENCY_RETENTION_MS: number = 10 * MINUTE;

  /** How long requests under way may take once the service was told to stop. */
  @IsWholeNumber(0, 5 * MINUTE)
  readonly SHUTDOWN_TIMEOUT_MS: number = 10_000;

  get isProduction(): boolean {
    return this.NODE_ENV === 'production';
  }

  get host(): string {
    return this.HOST ?? (this.isProduction ? '0.0.0.0' : '127.0.0.1');
  }

  get logFormat(): 'json' | 'text' {
    return this.LOG_FORMAT ?? (this.isProduction ? 'json' : 'text');
  }
}

/** The variables that hold secrets, and so may come from files. */
export const SECRET_VARIABLES = [
  'ADMIN_SECRET',
  'METRICS_TOKEN',
  'SECRET_PEPPER',
  'SESSION_STORAGE_TAG_KEY',
  'SESSION_STORAGE_URL',
] as const satisfies (keyof Environment)[];
