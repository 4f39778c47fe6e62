import { DistributedSessionOptions } from './distributed-session.options.js';
import { type AttributeLimits, DEFAULT_ATTRIBUTE_LIMITS } from './model/attributes.js';
import { isDuration } from './model/duration.js';
import type { KeyOption } from './model/key-list.js';
import { Secret } from './model/secret.js';
import { type SessionTimeouts, TIMEOUT_PRESETS, combineTimeouts } from './model/session-timeouts.js';
import { validateOptions } from './options/validate-options.js';

/**
 * The options as a caller writes them: the service id, the storage, and every option that differs from its default.
 *
 * @example
 * const options: DistributedSessionOptionsInput = { serviceId: 'order', storage: new InMemorySessionStorage() };
 */
export type DistributedSessionOptionsInput = Pick<DistributedSessionOptions, 'serviceId' | 'storage'> &
  Partial<DistributedSessionOptions>;

/** The validated options: frozen, with all timeouts and attribute limits resolved. */
export type ResolvedOptions = Readonly<
  Omit<
    DistributedSessionOptions,
    | 'timeoutPreset'
    | 'idleTimeoutMs'
    | 'absoluteTimeoutMs'
    | 'maxIdleTimeoutMs'
    | 'maxAbsoluteTimeoutMs'
    | 'attributeLimits'
    | SecretOption
  > & {
    timeouts: SessionTimeouts;
    /** The maximum timeouts of a session. One is absent if the operator set its option to `null`. */
    timeoutCeilings: SessionTimeouts;
    attributeLimits: AttributeLimits;
    /** The first one is to stay. Empty without a pepper. */
    secretPepper: readonly Secret[];
    /** The first one is to stay. Absent: as `secretPepper`. */
    tokenKey?: readonly Secret[];
  }
>;

/** The options that are secrets. */
const SECRET_OPTIONS = ['secretPepper', 'tokenKey'] as const satisfies (keyof DistributedSessionOptions)[];
type SecretOption = (typeof SECRET_OPTIONS)[number];

/** Returns a copy of the options whose secrets no dump shows, such as a dump of the application's providers. */
export function withSealedSecrets<T extends object | null | undefined>(options: T): T {
  if (typeof options !== 'object' || options === null) return options;
  const given = Object.entries(options).filter(([name, value]) => isSecretOption(name) && value != null);
  return {
    ...options,
    ...Object.fromEntries(
      given.map(([name, value]) => [name, Array.isArray(value) ? value.map(sealed) : sealed(value)]),
    ),
  };
}

function isSecretOption(name: string): name is SecretOption {
  return SECRET_OPTIONS.some((option) => option === name);
}

function sealed<T>(value: T | Secret<T>): Secret<T> {
  return value instanceof Secret ? value : new Secret(value);
}

/**
 * The injection token of the {@link ResolvedOptions}. The guards inject it.
 *
 * @example
 * constructor(@Inject(RESOLVED_OPTIONS) private readonly options: ResolvedOptions) {}
 */
export const RESOLVED_OPTIONS = Symbol('nestjs-distributed-session resolved options');

/**
 * Validates the options once, fills in the defaults and freezes the result.
 *
 * @throws {OptionsError} with every error at once.
 */
export function resolveOptions(input: DistributedSessionOptionsInput): ResolvedOptions {
  const options = validateOptions('DistributedSessionModule', DistributedSessionOptions, input, timeoutErrors);
  const { timeoutPreset, idleTimeoutMs, absoluteTimeoutMs, attributeLimits, ...others } = withSealedSecrets(options);
  const { maxIdleTimeoutMs, maxAbsoluteTimeoutMs, secretPepper = [], tokenKey, ...rest } = others;
  const given = { idleTimeoutMs, absoluteTimeoutMs };
  const timeouts = Object.freeze(combineTimeouts(TIMEOUT_PRESETS[timeoutPreset], given) as SessionTimeouts);
  const timeoutCeilings = Object.freeze(ceilingsOf(timeouts, { maxIdleTimeoutMs, maxAbsoluteTimeoutMs }));
  const limits = Object.freeze({ ...DEFAULT_ATTRIBUTE_LIMITS, ...attributeLimits });
  const keys = { secretPepper: listOf(secretPepper), ...(tokenKey !== undefined && { tokenKey: listOf(tokenKey) }) };
  const resolved = { ...rest, ...keys, timeouts, timeoutCeilings, attributeLimits: limits };
  return Object.freeze(resolved) as ResolvedOptions;
}

function listOf(keys: KeyOption): readonly (string | Secret)[] {
  return Object.freeze(typeof keys === 'string' || keys instanceof Secret ? [keys] : [...keys]);
}

function timeoutErrors({ timeoutPreset, ...given }: DistributedSessionOptions): string[] {
  const durations = [given.idleTimeoutMs, given.absoluteTimeoutMs, given.maxIdleTimeoutMs, given.maxAbsoluteTimeoutMs];
  // Invalid values already have an error of their own.
  if (
    !Object.hasOwn(TIMEOUT_PRESETS, timeoutPreset) ||
    !durations.every((value) => value == null || isDuration(value))
  ) {
    return [];
  }
  const timeouts = combineTimeouts(TIMEOUT_PRESETS[timeoutPreset], given);
  if ('error' in timeouts) return [timeouts.error];
  const ceilings = ceilingsOf(timeouts, given);
  return [
    ...aboveCeiling('idleTimeoutMs', timeouts.idleTimeoutMs, 'maxIdleTimeoutMs', ceilings.idleTimeoutMs),
    ...aboveCeiling(
      'absoluteTimeoutMs',
      timeouts.absoluteTimeoutMs,
      'maxAbsoluteTimeoutMs',
      ceilings.absoluteTimeoutMs,
    ),
  ];
}

type Ceilings = Pick<DistributedSessionOptions, 'maxIdleTimeoutMs' | 'maxAbsoluteTimeoutMs'>;

/** A ceiling that is not given is the configured timeout. */
function ceilingsOf(timeouts: SessionTimeouts, given: Ceilings): SessionTimeouts {
  const { maxIdleTimeoutMs = timeouts.idleTimeoutMs, maxAbsoluteTimeoutMs = timeouts.absoluteTimeoutMs } = given;
  return { idleTimeoutMs: maxIdleTimeoutMs ?? undefined, absoluteTimeoutMs: maxAbsoluteTimeoutMs ?? undefined };
}

function aboveCeiling(name: string, timeout: number | undefined, option: string, ceiling = Infinity): string[] {
  if ((timeout ?? Infinity) <= ceiling) return [];
  return [`${name} (${timeout ?? null}) exceeds ${option} (${ceiling}). Lower it, or raise ${option}.`];
}
