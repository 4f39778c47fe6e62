import { SessionInputError } from '../errors/session.errors.js';
import { CALLER_END_REASONS, type CallerEndReason } from './end-reason.js';
import { assertSessionId } from './session-credential.js';
import { assertActor, assertDevice, assertKnownOptions } from './session-input.js';

export interface EndOptions {
  /** What the history says. Default `logged-out`. */
  readonly reason?: CallerEndReason;
  /** On whose behalf, for the history: a person, a job; at most 256 characters. */
  readonly actor?: string;
}

export interface EndAllOptions extends EndOptions {
  /** The one session that stays, such as the one that asks. */
  readonly exceptSessionId?: string;
  /** Only the sessions with this device label. */
  readonly device?: string;
}

export function checkEndOptions(options: EndOptions): EndOptions {
  assertKnownOptions(options, ['reason', 'actor']);
  return checkEnding(options);
}

export function checkEndAllOptions(options: EndAllOptions): EndAllOptions {
  assertKnownOptions(options, ['reason', 'actor', 'exceptSessionId', 'device']);
  if (options.exceptSessionId !== undefined) assertSessionId(options.exceptSessionId, 'exceptSessionId');
  assertDevice(options.device);
  return checkEnding(options);
}

/** The given options that are set, so that they can go over defaults. */
function checkEnding<T extends EndOptions>(options: T): T {
  assertActor(options.actor);
  if (options.reason !== undefined && !CALLER_END_REASONS.includes(options.reason)) {
    throw new SessionInputError('reason', 'format', `must be one of ${CALLER_END_REASONS.join(', ')}.`);
  }
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as T;
}
