import { DAY_MS, HOUR_MS, MINUTE_MS } from './duration.js';

/** The two ends of a session, in milliseconds. `undefined`: this one does not end it. At least one is set. */
export interface SessionTimeouts {
  readonly idleTimeoutMs?: number;
  readonly absoluteTimeoutMs?: number;
}

/**
 * Named timeouts. `aal1` to `aal3` are the authenticator assurance levels of NIST SP 800-63B-4 (2.1.3, 2.2.3,
 * 2.3.3); `owaspHighValue` follows the OWASP session management cheat sheet for high-value applications.
 */
export const TIMEOUT_PRESETS = Object.freeze({
  aal1: { absoluteTimeoutMs: 30 * DAY_MS },
  aal2: { idleTimeoutMs: HOUR_MS, absoluteTimeoutMs: 24 * HOUR_MS },
  aal3: { idleTimeoutMs: 15 * MINUTE_MS, absoluteTimeoutMs: 12 * HOUR_MS },
  owaspHighValue: { idleTimeoutMs: 5 * MINUTE_MS, absoluteTimeoutMs: 4 * HOUR_MS },
} satisfies Record<string, SessionTimeouts>);

export type TimeoutPreset = keyof typeof TIMEOUT_PRESETS;

/** Timeouts as a caller gives them: `null` switches an end off, `undefined` keeps what there is. */
export interface GivenTimeouts {
  readonly idleTimeoutMs?: number | null;
  readonly absoluteTimeoutMs?: number | null;
}

/**
 * `given` over `base`, or the fault of the two together.
 *
 * A shorter absolute end brings the idle timeout of the base down with it. An idle timeout beyond the absolute end
 * of the base is a fault: the session would end before its caller expects.
 */
export function combineTimeouts(base: SessionTimeouts, given: GivenTimeouts): SessionTimeouts | { error: string } {
  const absoluteTimeoutMs = pick(given.absoluteTimeoutMs, base.absoluteTimeoutMs);
  const idleTimeoutMs = pick(given.idleTimeoutMs, lower(base.idleTimeoutMs, absoluteTimeoutMs));
  if (idleTimeoutMs === undefined && absoluteTimeoutMs === undefined) {
    return { error: 'idleTimeoutMs and absoluteTimeoutMs cannot both be off: a session must end some day. Set one.' };
  }
  if (given.absoluteTimeoutMs === undefined && (idleTimeoutMs ?? 0) > (absoluteTimeoutMs ?? Infinity)) {
    const ends = `absoluteTimeoutMs (${absoluteTimeoutMs}), which would end the session first`;
    return { error: `idleTimeoutMs (${idleTimeoutMs}) exceeds ${ends}. Set absoluteTimeoutMs too, or null for none.` };
  }
  return { idleTimeoutMs, absoluteTimeoutMs };
}

function pick(given: number | null | undefined, base: number | undefined): number | undefined {
  return given === undefined ? base : (given ?? undefined);
}

function lower(own: number | undefined, bound: number | undefined): number | undefined {
  return own === undefined ? undefined : Math.min(own, bound ?? Infinity);
}
