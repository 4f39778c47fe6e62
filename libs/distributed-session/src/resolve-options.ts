import { DistributedSessionOptions } from './distributed-session.options.js';
import { type AttributeLimits, DEFAULT_ATTRIBUTE_LIMITS } from './model/attributes.js';
import { isDuration } from './model/duration.js';
import { validateOptions } from './options/validate-options.js';
import { type SessionTimeouts, TIMEOUT_PRESETS, combineTimeouts } from './model/session-timeouts.js';

/** What a caller writes: the storage and the service id, and whatever should differ from the defaults. */
export type DistributedSessionOptionsInput = Pick<DistributedSessionOptions, 'serviceId' | 'storage'> &
  Partial<DistributedSessionOptions>;

/** Options after the check: frozen, with the timeouts decided and all attribute limits in place. */
export type ResolvedOptions = Readonly<
  Omit<DistributedSessionOptions, 'timeoutPreset' | 'idleTimeoutMs' | 'absoluteTimeoutMs' | 'attributeLimits'> & {
    timeouts: SessionTimeouts;
    attributeLimits: AttributeLimits;
  }
>;

/** The token of the options after their check. The guards read theirs from it. */
export const RESOLVED_OPTIONS = Symbol('nestjs-distributed-session resolved options');

/**
 * Validates the options once, fills in the defaults and freezes the result.
 *
 * @throws {OptionsError} with every error at once.
 */
export function resolveOptions(input: DistributedSessionOptionsInput): ResolvedOptions {
  const options = validateOptions('DistributedSessionModule', DistributedSessionOptions, input, timeoutErrors);
  const { timeoutPreset, idleTimeoutMs, absoluteTimeoutMs, attributeLimits, secretPepper, ...rest } = options;
  const timeouts = combineTimeouts(TIMEOUT_PRESETS[timeoutPreset], { idleTimeoutMs, absoluteTimeoutMs });
  const limits = Object.freeze({ ...DEFAULT_ATTRIBUTE_LIMITS, ...attributeLimits });
  const resolved = { ...rest, timeouts: Object.freeze(timeouts as SessionTimeouts), attributeLimits: limits };
  // Not enumerable, so that logging an object that holds the options does not log the pepper.
  return Object.freeze(Object.defineProperty(resolved, 'secretPepper', { value: secretPepper }));
}

function timeoutErrors({ timeoutPreset, ...given }: DistributedSessionOptions): string[] {
  const durations = [given.idleTimeoutMs, given.absoluteTimeoutMs];
  // Values that are invalid by themselves have an error already.
  if (
    !Object.hasOwn(TIMEOUT_PRESETS, timeoutPreset) ||
    !durations.every((value) => value == null || isDuration(value))
  ) {
    return [];
  }
  const timeouts = combineTimeouts(TIMEOUT_PRESETS[timeoutPreset], given);
  return 'error' in timeouts ? [timeouts.error] : [];
}
