/**
 * The reasons why a session ends. The guard's 401, the events and the history contain the reason.
 *
 * - `logged-out`: the user or a service ended it.
 * - `kicked-out`: an administrator, or the user on another device, ended it.
 * - `replaced`: a newer session replaced it because of the limit per device.
 * - `limit`: the user's oldest session made room for a newer one because of the limit per user.
 * - `idle-timeout`, `absolute-timeout`: it expired (ASVS 7.3.1, 7.3.2).
 * - `rotated`: it continues under a new id and token.
 * - `revoked`: the user may no longer have sessions, for example because the account was banned or removed.
 */
export const END_REASONS = [
  'logged-out',
  'kicked-out',
  'replaced',
  'limit',
  'idle-timeout',
  'absolute-timeout',
  'rotated',
  'revoked',
] as const;

/** The reason why a session ended; see {@link END_REASONS}. */
export type EndReason = (typeof END_REASONS)[number];

export function isEndReason(value: unknown): value is EndReason {
  return (END_REASONS as readonly unknown[]).includes(value);
}

/**
 * A reason as it was recorded: one of {@link END_REASONS}, or one that a later release has added, when two releases share a
 * store. A `switch` over it needs a `default`.
 *
 * @example
 * function text(reason: RecordedEndReason): string {
 *   return reason === 'kicked-out' ? 'An administrator signed you out.' : `You were signed out (${reason}).`;
 * }
 */
export type RecordedEndReason = EndReason | (string & Record<never, never>);

const RECORDED_REASON = /^[a-z]+(?:-[a-z]+){0,7}$/;
const MAX_REASON_LENGTH = 64;

/** Returns whether a stored text has the form of a reason, of this release or of a later one. */
export function isRecordedEndReason(value: unknown): value is RecordedEndReason {
  return typeof value === 'string' && value.length <= MAX_REASON_LENGTH && RECORDED_REASON.test(value);
}

/** The reasons that a caller may pass. The storage sets the others. */
export const CALLER_END_REASONS = ['logged-out', 'kicked-out', 'replaced', 'revoked'] as const satisfies EndReason[];

/** A reason that a caller may pass when it ends a session. */
export type CallerEndReason = (typeof CALLER_END_REASONS)[number];

/** The value of `endedBy` on a session that expired. It cannot be a service id. */
export const ENDED_BY_EXPIRY = '@expiry';
