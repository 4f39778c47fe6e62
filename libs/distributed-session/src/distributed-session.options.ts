import { ArrayNotEmpty, ArrayUnique, IsIn, IsOptional, Matches } from 'class-validator';
import {
  type ServiceCarrier,
  type SessionCarrier,
  SERVICE_CARRIERS,
  SESSION_CARRIERS,
} from './model/credential-carriers.js';
import { IsAttributeLimits, IsPepper, IsServiceId, IsSessionStorage } from './distributed-session.option-rules.js';
import { IfGiven, IsDuration, IsWholeNumber } from './options/option-rules.js';
import type { AttributeLimits } from './model/attributes.js';
import { MINUTE_MS } from './model/duration.js';
import { TIMEOUT_PRESETS, type TimeoutPreset } from './model/session-timeouts.js';
import type { SessionStorage } from './storage/session-storage.js';

const PRESETS = Object.keys(TIMEOUT_PRESETS);

/** What to build a `DistributedSessionManager` with. The values below are the defaults. Durations are milliseconds. */
export class DistributedSessionOptions {
  /** The id of this service: it marks the sessions that it creates and ends. Required. */
  @IsServiceId()
  readonly serviceId!: string;

  /** Where the sessions live. Required. All services that share sessions use the same store. */
  @IsSessionStorage()
  readonly storage!: SessionStorage;

  /** The timeouts, by name. `idleTimeoutMs` and `absoluteTimeoutMs` go over it one by one. */
  @IsIn(PRESETS, { message: `timeoutPreset must be one of ${PRESETS.join(', ')}` })
  readonly timeoutPreset: TimeoutPreset = 'aal2';

  /** How long a session outlives its last access; `null`: idleness does not end it. By the default preset 1 h. */
  @IsOptional()
  @IsDuration()
  readonly idleTimeoutMs?: number | null;

  /** How long a session lives at the most, used or not; `null`: for as long as it is used. By the default preset 24 h. */
  @IsOptional()
  @IsDuration()
  readonly absoluteTimeoutMs?: number | null;

  /** At the most this often an access is written. Default: a tenth of the idle timeout of the session, at most 60 s. */
  @IfGiven()
  @IsDuration()
  readonly touchIntervalMs?: number;

  /** How many live sessions a login may have, 1 to 1,000. */
  @IsWholeNumber(1, 1_000)
  readonly maxSessionsPerLogin: number = 100;

  /** How many live sessions a login may have with one device label. Default: as many as the login. */
  @IfGiven()
  @IsWholeNumber(1, 1_000)
  readonly maxSessionsPerDevice?: number;

  /** What a login beyond a limit does: `end-oldest` makes room, `reject` throws `SessionLimitError`. */
  @IsIn(['end-oldest', 'reject'], { message: "onLimit must be 'end-oldest' or 'reject'" })
  readonly onLimit: 'end-oldest' | 'reject' = 'end-oldest';

  /** How long a credential that was rotated away still reads the new session; 0: not at all. */
  @IsDuration(0)
  readonly rotationGraceMs: number = 10_000;

  /** How long it is known why a session ended. */
  @IsDuration(0)
  readonly historyRetentionMs: number = 24 * 60 * MINUTE_MS;

  /** How often this process looks for sessions that time has ended, to announce them; `null`: another one does. */
  @IsOptional()
  @IsDuration()
  readonly sweepIntervalMs: number | null = 5_000;

  /** The bounds of attributes; each can be given by itself. Defaults: `DEFAULT_ATTRIBUTE_LIMITS`. */
  @IsAttributeLimits()
  readonly attributeLimits: Partial<AttributeLimits> = {};

  /** How long a proven secret is taken for proven in this process; 0: it is checked each time. A revocation ends it at once. */
  @IsDuration(0)
  readonly verificationCacheMs: number = 30_000;

  /** A key, at least 16 characters, that the digests of service secrets are made under. The same in all services of a store. */
  @IfGiven()
  @IsPepper()
  readonly secretPepper?: string;

  /** Where `ServiceAuthGuard` looks for the credential of a service. */
  @IsIn(SERVICE_CARRIERS, { each: true, message: `serviceCarriers must name some of ${SERVICE_CARRIERS.join(', ')}` })
  @ArrayUnique({ message: 'serviceCarriers must name each carrier once' })
  @ArrayNotEmpty({ message: 'serviceCarriers must name at least one carrier' })
  readonly serviceCarriers: readonly ServiceCarrier[] = SERVICE_CARRIERS;

  /** Where `SessionGuard` looks for the credential of a session. */
  @IsIn(SESSION_CARRIERS, { each: true, message: `sessionCarriers must name some of ${SESSION_CARRIERS.join(', ')}` })
  @ArrayUnique({ message: 'sessionCarriers must name each carrier once' })
  @ArrayNotEmpty({ message: 'sessionCarriers must name at least one carrier' })
  readonly sessionCarriers: readonly SessionCarrier[] = SESSION_CARRIERS;

  /** The cookie that holds the credential of a session. `__Host-` binds it to one host and to HTTPS (ASVS 3.3.1). */
  @Matches(/^[\w!#$%&'*+.^`|~-]+$/, {
    message: 'sessionCookieName must be a cookie name (RFC 6265), such as __Host-session',
  })
  readonly sessionCookieName: string = '__Host-session';
}
