import { IsOptional } from 'class-validator';
import {
  IsAttributeLimits,
  IsCarrierList,
  IsCookieName,
  IsPepper,
  IsServiceId,
  IsSessionStorage,
  IsShare,
  IsTokenKey,
} from './distributed-session.option-rules.js';
import type { AttributeLimits } from './model/attributes.js';
import {
  type ServiceCarrier,
  type SessionCarrier,
  SERVICE_CARRIERS,
  SESSION_CARRIERS,
} from './model/credential-carriers.js';
import { DAY_MS } from './model/duration.js';
import type { KeyOption } from './model/key-list.js';
import { TIMEOUT_PRESETS, type TimeoutPreset } from './model/session-timeouts.js';
import { IfGiven, IsDuration, IsOneOf, IsWholeNumber } from './options/option-rules.js';
import type { SessionStorage } from './storage/session-storage.js';

/**
 * The options of the manager and of `DistributedSessionModule`. The initial values are the defaults. Durations are
 * milliseconds.
 *
 * @example
 * DistributedSessionModule.forRoot({ serviceId: 'order', storage, idleTimeoutMs: 900_000, onLimit: 'reject' });
 */
export class DistributedSessionOptions {
  /** The id of this service, recorded on the sessions that it creates and ends. Required. */
  @IsServiceId()
  readonly serviceId!: string;

  /** The storage of the sessions. Required. All services that share sessions use the same store. */
  @IsSessionStorage()
  readonly storage!: SessionStorage;

  /**
   * Named timeouts. `idleTimeoutMs` and `absoluteTimeoutMs` each override the preset's.
   *
   * @default 'aal2'
   */
  @IsOneOf(Object.keys(TIMEOUT_PRESETS))
  readonly timeoutPreset: TimeoutPreset = 'aal2';

  /**
   * Time from the last access until a session expires; `null`: it has no idle timeout.
   *
   * @default 3_600_000, from the preset
   */
  @IsOptional()
  @IsDuration()
  readonly idleTimeoutMs?: number | null;

  /**
   * Maximum lifetime of a session; `null`: none while it is used.
   *
   * @default 86_400_000, from the preset
   */
  @IsOptional()
  @IsDuration()
  readonly absoluteTimeoutMs?: number | null;

  /**
   * The maximum idle timeout that any caller may give a session; `createSession()` rejects a longer one. `null` sets no
   * maximum, for operators who leave the timeouts to their services.
   *
   * @default idleTimeoutMs, so that a session's own idle timeout can only be shorter
   */
  @IsOptional()
  @IsDuration()
  readonly maxIdleTimeoutMs?: number | null;

  /**
   * The maximum absolute timeout that any caller may give a session; `createSession()` rejects a longer one. `null` sets
   * no maximum, for operators who leave the timeouts to their services.
   *
   * @default absoluteTimeoutMs, so that a session's own absolute timeout can only be shorter
   */
  @IsOptional()
  @IsDuration()
  readonly maxAbsoluteTimeoutMs?: number | null;

  /**
   * Minimum time between two recorded accesses of a session.
   *
   * @default a tenth of the session's idle timeout, at most 60_000
   */
  @IfGiven()
  @IsDuration()
  readonly touchIntervalMs?: number;

  /**
   * Maximum number of live sessions per user, 1 to 1,000.
   *
   * @default 100
   */
  @IsWholeNumber(1, 1_000)
  readonly maxSessionsPerLogin: number = 100;

  /**
   * Maximum number of live sessions per user and device label, 1 to 1,000.
   *
   * @default no separate limit
   */
  @IfGiven()
  @IsWholeNumber(1, 1_000)
  readonly maxSessionsPerDevice?: number;

  /**
   * Behaviour at a login beyond a limit: `end-oldest` ends the session that was created first, `end-idlest` the one
   * whose last recorded access is longest ago, `reject` throws `SessionLimitError`. Accesses are recorded once per
   * `touchIntervalMs`: of two sessions used within the same interval, `end-idlest` may end either.
   *
   * @default 'end-oldest'
   */
  @IsOneOf(['end-oldest', 'end-idlest', 'reject'])
  readonly onLimit: 'end-oldest' | 'end-idlest' | 'reject' = 'end-oldest';

  /**
   * How long the previous credential still works after a rotation; 0: not at all.
   *
   * @default 10_000
   */
  @IsDuration(0)
  readonly rotationGraceMs: number = 10_000;

  /**
   * How long an ended session stays in the history.
   *
   * @default 86_400_000
   */
  @IsDuration(0)
  readonly historyRetentionMs: number = DAY_MS;

  /**
   * Interval at which this process expires sessions that are due; `null`: never, because another process does.
   *
   * @default 5_000
   */
  @IsOptional()
  @IsDuration()
  readonly sweepIntervalMs: number | null = 5_000;

  /**
   * Overrides single limits of `DEFAULT_ATTRIBUTE_LIMITS`.
   *
   * @default {}
   */
  @IsAttributeLimits()
  readonly attributeLimits: Partial<AttributeLimits> = {};

  /**
   * The part of a session's attributes, in number and in total size, that one service with limited permissions may write:
   * above 0, at most 1. The application itself and services with the permission `*` are not limited.
   *
   * @default 0.5
   */
  @IsShare()
  readonly maxAttributeShare: number = 0.5;

  /**
   * How long this process caches a verified service before it reads the service again; 0: not at all. A change of a
   * service ends that time.
   *
   * @default 30_000
   */
  @IsDuration(0)
  readonly verificationCacheMs: number = 30_000;

  /**
   * The key of at least 16 characters for the hashes of service secrets, the same in all services of a store, or a list of
   * up to 10 while it is changed: secrets are hashed under each, verified under any, and the first is to stay. The entry
   * `none` stands for no pepper. Hashes without a pepper are always accepted. A `Secret` keeps it out of dumps of your own
   * objects; the library does not show it in either form.
   *
   * @default none
   */
  @IfGiven()
  @IsPepper()
  readonly secretPepper?: KeyOption;

  /**
   * The secret of at least 32 characters for the digests of session tokens: without it, a reader of the store can test
   * guesses of weak tokens. It is the same in all services of a store, or a list while it is changed, as for
   * `secretPepper`. Keep an earlier key as a further entry until the absolute timeout has passed.
   *
   * @default `secretPepper`; without one, the digests have no key
   */
  @IfGiven()
  @IsTokenKey()
  readonly tokenKey?: KeyOption;

  /**
   * Minimum length of a token that a caller passes to `createSession()`, 1 to 4,000. The default is 128 bits in base64url
   * (ASVS 7.2.3). A lower one binds tokens that the application issues already; a warning is logged at the start.
   *
   * @default 22
   */
  @IsWholeNumber(1, 4_000)
  readonly minTokenLength: number = 22;

  /**
   * The places where `ServiceAuthGuard` looks for a service's credential.
   *
   * @default ['basic', 'bearer', 'headers']
   */
  @IsCarrierList(SERVICE_CARRIERS)
  readonly serviceCarriers: readonly ServiceCarrier[] = SERVICE_CARRIERS;

  /**
   * The places where `SessionGuard` looks for a session's credential.
   *
   * @default ['cookie', 'bearer', 'headers']
   */
  @IsCarrierList(SESSION_CARRIERS)
  readonly sessionCarriers: readonly SessionCarrier[] = SESSION_CARRIERS;

  /**
   * The name of the cookie that contains a session's credential. `__Host-` binds it to one host and to HTTPS
   * (ASVS 3.3.1).
   *
   * @default '__Host-session'
   */
  @IsCookieName()
  readonly sessionCookieName: string = '__Host-session';
}
