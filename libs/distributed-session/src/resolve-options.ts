import { type ValidationError, validateSync } from 'class-validator';
import { DistributedSessionOptions } from './distributed-session.options.js';
import { OptionsError } from './errors/options.error.js';
import { type AttributeLimits, DEFAULT_ATTRIBUTE_LIMITS } from './session/attribute-limits.js';
import { type SessionTimeouts, TIMEOUT_PRESETS, combineTimeouts } from './session/session-timeouts.js';

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

/** Checks options once and fills in the defaults; throws {@link OptionsError} with every fault in it. */
export function resolveOptions(input: DistributedSessionOptionsInput): ResolvedOptions {
  const given = Object.entries(input ?? {}).filter(([, value]) => value !== undefined);
  const options = Object.assign(new DistributedSessionOptions(), Object.fromEntries(given));
  const faults = validateSync(options, { whitelist: true, forbidNonWhitelisted: true }).flatMap(describeFault);
  if (faults.length > 0) fail(faults);
  const { timeoutPreset, idleTimeoutMs, absoluteTimeoutMs, attributeLimits, secretPepper, ...rest } = options;
  const timeouts = combineTimeouts(TIMEOUT_PRESETS[timeoutPreset], { idleTimeoutMs, absoluteTimeoutMs });
  if ('fault' in timeouts) return fail([timeouts.fault]);
  const limits = Object.freeze({ ...DEFAULT_ATTRIBUTE_LIMITS, ...attributeLimits });
  const resolved = { ...rest, timeouts: Object.freeze(timeouts), attributeLimits: limits };
  // Not enumerable, so that no log of something that holds the options holds the pepper.
  return Object.freeze(Object.defineProperty(resolved, 'secretPepper', { value: secretPepper }));
}

function describeFault({ property, constraints }: ValidationError): string[] {
  if (constraints?.['whitelistValidation']) {
    const known = Object.keys(new DistributedSessionOptions()).toSorted().join(', ');
    return [`${property} is no option. Known options: ${known}.`];
  }
  return Object.values(constraints ?? {});
}

function fail(faults: string[]): never {
  throw new OptionsError('The options of DistributedSessionModule are not usable:', faults);
}
