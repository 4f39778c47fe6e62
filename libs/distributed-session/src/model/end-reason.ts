/**
 * Why a session ended. The guard's 401, the events and the history all show it.
 *
 * - `logged-out`: the user or a service ended it.
 * - `kicked-out`: somebody else ended it, such as an administrator or the user from another device.
 * - `replaced`: a newer session took its place under the limit per device.
 * - `limit`: the oldest gave way to a newer one under the limit per login.
 * - `idle-timeout`, `absolute-timeout`: time ended it (ASVS 7.3.1, 7.3.2).
 * - `rotated`: it lives on under a new id and token.
 * - `revoked`: the login itself may not have sessions any more, such as a ban or a removed account.
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

export type EndReason = (typeof END_REASONS)[number];

/** The reasons a caller may give; the others follow from what the storage does. */
export const CALLER_END_REASONS = ['logged-out', 'kicked-out', 'replaced', 'revoked'] as const satisfies EndReason[];

export type CallerEndReason = (typeof CALLER_END_REASONS)[number];

/** What `endedBy` says when time, not a service, ended a session. No service id can look like it. */
export const ENDED_BY_EXPIRY = '@expiry';
