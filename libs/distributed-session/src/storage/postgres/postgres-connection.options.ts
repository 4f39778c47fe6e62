import type { ConnectionOptions as TlsOptions } from 'node:tls';
import { IfGiven, IsWholeNumber, optionRule } from '../../options/option-rules.js';

const MAX_POOL_SIZE = 1_000;
/** Longer timers fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** The server and the number of connections. Each option overrides the url. The initial values are the defaults. */
export class ConnectionOptions {
  @IfGiven()
  @IsText()
  readonly host?: string;

  @IfGiven()
  @IsWholeNumber(1, 65_535)
  readonly port?: number;

  @IfGiven()
  @IsText()
  readonly database?: string;

  @IfGiven()
  @IsText()
  readonly user?: string;

  /** The password, or a function that returns it: called for each connection, for passwords that expire. */
  @IfGiven()
  @optionRule('isPassword', isPassword, 'must be a string, or a function that returns one')
  readonly password?: string | (() => string | Promise<string>);

  /**
   * `true`, or TLS settings such as `{ ca }`.
   *
   * @default no TLS, unless the url requires it by `sslmode`
   */
  @IfGiven()
  @optionRule('isSsl', isSsl, 'must be true, false or TLS settings')
  readonly ssl?: boolean | TlsOptions;

  /**
   * The maximum number of connections. The change feed uses one more.
   *
   * @default 10
   */
  @IsWholeNumber(1, MAX_POOL_SIZE)
  readonly max: number = 10;

  /**
   * The time after which an idle connection is closed, in milliseconds; 0 for never.
   *
   * @default 30_000
   */
  @IsWholeNumber(0, MAX_TIMER_MS)
  readonly idleTimeoutMillis: number = 30_000;

  /**
   * The time after which a connection is replaced, in seconds; 0 for never.
   *
   * @default 0
   */
  @IsWholeNumber(0, Math.floor(MAX_TIMER_MS / 1_000))
  readonly maxLifetimeSeconds: number = 0;

  /**
   * The name that the server shows in `pg_stat_activity`.
   *
   * @default 'nestjs-distributed-session'
   */
  @IsText()
  readonly application_name: string = 'nestjs-distributed-session';
}

/** The server and the number of connections; each may be omitted. */
export type PostgresConnectionOptions = Partial<ConnectionOptions>;

function IsText(): PropertyDecorator {
  return optionRule(
    'isText',
    (value) => typeof value === 'string' && value !== '',
    'must be a non-empty string',
    'a string',
  );
}

function isPassword(value: unknown): boolean {
  return typeof value === 'string' || typeof value === 'function';
}

function isSsl(value: unknown): boolean {
  return typeof value === 'boolean' || (typeof value === 'object' && value !== null);
}
