import { DAY_MS, HOUR_MS, MINUTE_MS } from './duration.js';

/** The timeouts of a session, in milliseconds. At least one of them is set. */
export interface SessionTimeouts {
  /** Time from the last access until the session expires. Absent: it has no idle timeout. */
  readonly idleTimeoutMs?: number;
  /** Time from the login until the session expires. Absent: it does not expire while it is used. */
  readonly absoluteTimeoutMs?: number;
}

/**
 * Named timeouts. `aal1` to `aal3` are the authenticator assurance levels of NIST SP 800-63B-4 (2.1.3, 2.2.3, 2.3.3);
 * `owaspHighValue` follows the OWASP session management cheat sheet for high-value applications.
 *
 * @example
 * const cookieMaxAgeMs = TIMEOUT_PRESETS.aal2.absoluteTimeoutMs;
 */
export const TIMEOUT_PRESETS = Object.freeze({
  aal1: { absoluteTimeoutMs: 30 * DAY_MS },
  aal2: { idleTimeoutMs: HOUR_MS, absoluteTimeoutMs: 24 * HOUR_MS },
  aal3: { idleTimeoutMs: 15 * MINUTE_MS, absoluteTimeoutMs: 12 * HOUR_MS },
  owaspHighValue: { idleTimeoutMs: 5 * MINUTE_MS, absoluteTimeoutMs: 4 * HOUR_MS },
} satisfies Record<string, SessionTimeouts>);

/** The name of a preset in {@link TIMEOUT_PRESETS}. */
export type TimeoutPreset = keyof typeof TIMEOUT_PRESETS;

/** Timeouts as a caller passes them: `null` disables a timeout, `undefined` keeps the default. */
export interface GivenTimeouts {
  readonly idleTimeoutMs?: number | null;
  readonly absoluteTimeoutMs?: number | null;
}

/**
 * Overrides the timeouts of `base` with those of `given`. Returns an error if the combination is invalid.
 *
 * A shorter absolute timeout lowers the idle timeout of the base to it. An idle timeout longer than the base's absolute
 * timeout is an error, because the session would expire earlier than the caller expects.
 */
export function combineTimeouts(base: SessionTimeouts, given: GivenTimeouts): SessionTimeouts | { error: string } {
  const absoluteTimeoutMs = pick(given.absoluteTimeoutMs, base.absoluteTimeoutMs);
  const idleTimeoutMs = pick(given.idleTimeoutMs, lower(base.idleTimeoutMs, absoluteTimeoutMs));
  if (idleTimeoutMs === undefined && absoluteTimeoutMs === undefined) {
    return {
      error: 'idleTimeoutMs and absoluteTimeoutMs must not both be null: every session must expire. Set one of them.',
    };
  }
  if (given.absoluteTimeoutMs === undefined && (idleTimeoutMs ?? 0) > (absoluteTimeoutMs ?? Infinity)) {
    const absolute = `absoluteTimeoutMs (${absoluteTimeoutMs}), so the session would expire earlier`;
    return {
      error: `idleTimeoutMs (${idleTimeoutMs}) exceeds ${absolute}. Set absoluteTimeoutMs too, or null for none.`,
    };
  }
  return { idleTimeoutMs, absoluteTimeoutMs };
}

function pick(given: number | null | undefined, base: number | undefined): number | undefined {
  return given === undefined ? base : (given ?? undefined);
}

function lower(own: number | undefined, bound: number | undefined): number | undefined {
  return own === undefined ? undefined : Math.min(own, bound ?? Infinity);
}
