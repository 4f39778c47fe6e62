import { SessionInputError } from '../errors/session.errors.js';
import type { AttributeInput } from '../model/attributes.js';
import { MAX_DURATION_MS, isDuration } from '../model/duration.js';
import { CALLER_END_REASONS, type CallerEndReason } from '../model/end-reason.js';
import { DEFAULT_PAGE_SIZE, INPUT_LIMITS } from '../model/input-limits.js';
import { type SessionTimeouts, combineTimeouts } from '../model/session-timeouts.js';
import type { SessionClient } from '../model/session.js';
import { kindMismatch } from '../model/value-kind.js';
import { shownUnknown, unknownName } from '../options/unknown-name.js';
import type { ResolvedOptions } from '../resolve-options.js';
import type { ListLogins } from '../storage/session-storage.operations.js';
import { checkClient } from './client-input.js';
import { assertSessionId } from './session-credential.js';

/**
 * The options of `createSession()`.
 *
 * @example
 * const options: CreateSessionOptions = { device: 'web', attributes: { role: 'customer' }, idleTimeoutMs: 900_000 };
 */
export interface CreateSessionOptions {
  /** A label such as `web` or `mobile`, at most 64 characters. `maxSessionsPerDevice` counts by label. */
  readonly device?: string;
  /** The initial attributes. */
  readonly attributes?: AttributeInput;
  /** The client, for the user's list of devices. Longer texts are cut; an empty one is absent. */
  readonly client?: SessionClient;
  /** Overrides the module's idle timeout for this session, up to `maxIdleTimeoutMs`; `null` disables it. */
  readonly idleTimeoutMs?: number | null;
  /** Overrides the module's absolute timeout for this session, up to `maxAbsoluteTimeoutMs`; `null` disables it. */
  readonly absoluteTimeoutMs?: number | null;
}

const CREATE_OPTIONS = ['device', 'attributes', 'client', 'idleTimeoutMs', 'absoluteTimeoutMs'];

/** Checks a login id: 1 to 256 characters of well-formed Unicode, because two ill-formed ids could encode alike. */
export function assertLoginId(loginId: unknown): asserts loginId is string {
  assertText('loginId', loginId, INPUT_LIMITS.maxLoginIdLength);
}

function assertDevice(device: unknown): asserts device is string | undefined {
  if (device !== undefined) assertText('device', device, INPUT_LIMITS.maxDeviceLength);
}

function assertActor(actor: unknown): asserts actor is string | undefined {
  if (actor !== undefined) assertText('actor', actor, INPUT_LIMITS.maxActorLength);
}

/** Checks the options of a read. */
export function assertReadOptions(options: { readonly touch?: unknown }): void {
  assertKnownOptions(options, ['touch']);
  if (options.touch === undefined || typeof options.touch === 'boolean') return;
  throw new SessionInputError('touch', 'type', `must be true or false${kindMismatch(options.touch, 'a boolean')}.`);
}

/** Rejects unknown options, so that a misspelt one is not silently ignored. */
export function assertKnownOptions(options: object, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null) {
    throw new SessionInputError('options', 'type', `must be an object${kindMismatch(options, 'an object')}.`);
  }
  const unknown = Object.keys(options).find((name) => !known.includes(name));
  if (unknown === undefined) return;
  throw new SessionInputError(
    `options.${shownUnknown(unknown, known)}`,
    'unknown-field',
    unknownName('option', unknown, known),
  );
}

/** The validated options of `createSession()`, without the attributes. */
export interface CheckedCreateOptions {
  readonly device?: string;
  readonly client?: SessionClient;
  readonly timeouts: SessionTimeouts;
}

export function checkCreateOptions(
  options: CreateSessionOptions,
  { timeouts: defaults, timeoutCeilings }: Pick<ResolvedOptions, 'timeouts' | 'timeoutCeilings'>,
): CheckedCreateOptions {
  assertKnownOptions(options, CREATE_OPTIONS);
  assertDevice(options.device);
  const client = options.client === undefined ? undefined : checkClient(options.client);
  for (const name of ['idleTimeoutMs', 'absoluteTimeoutMs'] as const) {
    const value = options[name];
    if (value === undefined) continue;
    if (value !== null && !isDuration(value)) {
      const expectation = `must be a whole number of milliseconds from 1 to ${MAX_DURATION_MS}`;
      throw new SessionInputError(name, 'range', `${expectation}${kindMismatch(value, 'a number')}.`);
    }
    assertBelowCeiling(name, value, timeoutCeilings[name]);
  }
  const timeouts = combineTimeouts(defaults, options);
  if ('error' in timeouts) throw new SessionInputError('timeouts', 'range', `are invalid: ${timeouts.error}`);
  return { device: options.device, client, timeouts };
}

/** The operator's ceilings bound every caller: a longer session than a preset such as `aal3` allows is refused. */
function assertBelowCeiling(
  name: 'idleTimeoutMs' | 'absoluteTimeoutMs',
  value: number | null,
  ceiling = Infinity,
): void {
  if ((value ?? Infinity) <= ceiling) return;
  const option = name === 'idleTimeoutMs' ? 'maxIdleTimeoutMs' : 'maxAbsoluteTimeoutMs';
  const expectation = `must be at most ${ceiling} ms, which the option ${option} sets; null means no timeout.`;
  throw new SessionInputError(name, 'range', expectation, ceiling);
}

function assertText(field: string, value: unknown, maxLength: number): asserts value is string {
  if (typeof value !== 'string') {
    throw new SessionInputError(field, 'type', `must be a string${kindMismatch(value, 'a string')}.`);
  }
  if (value === '') throw new SessionInputError(field, 'empty', 'must not be empty.');
  if (value.length > maxLength) {
    const expectation = `must be at most ${maxLength} characters long, not ${value.length}.`;
    throw new SessionInputError(field, 'length', expectation, maxLength);
  }
  if (!value.isWellFormed()) {
    throw new SessionInputError(field, 'format', 'must be well-formed Unicode, without lone surrogates.');
  }
}

/** Checks the page of `listLogins()`. Only the storage can check the cursor itself. */
export function checkPage(page: Partial<ListLogins>): ListLogins {
  assertKnownOptions(page, ['limit', 'cursor']);
  const { limit = DEFAULT_PAGE_SIZE, cursor } = page;
  const { maxPageSize, maxCursorLength } = INPUT_LIMITS;
  if (!Number.isSafeInteger(limit) || limit < 1 || limit > maxPageSize) {
    const expectation = `must be a whole number from 1 to ${maxPageSize}${kindMismatch(limit, 'a number')}.`;
    throw new SessionInputError('limit', 'range', expectation, maxPageSize);
  }
  if (cursor === undefined) return { limit };
  if (typeof cursor !== 'string' || cursor === '' || cursor.length > maxCursorLength) {
    const expectation = `must be the nextCursor of the previous page${kindMismatch(cursor, 'a string')}.`;
    throw new SessionInputError('cursor', 'format', `${expectation} Omit it to start over.`);
  }
  return { limit, cursor };
}

/**
 * The options of `deleteSession()`.
 *
 * @example
 * const options: EndOptions = { reason: 'revoked', actor: 'admin@example.com' };
 */
export interface EndOptions {
  /**
   * The reason for the history and the events.
   *
   * @default 'logged-out'
   */
  readonly reason?: CallerEndReason;
  /** The person or job on whose behalf the session ends, for the history; at most 256 characters. */
  readonly actor?: string;
}

/**
 * The options of `deleteAllSessions()`.
 *
 * @example
 * const options: EndAllOptions = { exceptSessionId: currentSessionId, device: 'mobile' };
 */
export interface EndAllOptions extends EndOptions {
  /** A session that is not ended, such as the caller's own. */
  readonly exceptSessionId?: string;
  /** Only the sessions with this device label. */
  readonly device?: string;
}

/**
 * The options of `rotateSession()`.
 *
 * @example
 * const options: RotateOptions = { graceMs: 0, actor: 'support@example.com' };
 */
export interface RotateOptions {
  /**
   * How long the previous credential still works, in milliseconds: at most the module's `rotationGraceMs`. Pass 0 on a
   * change of privilege (a login, sudo), so that the previous credential ends at once.
   *
   * @default rotationGraceMs
   */
  readonly graceMs?: number;
  /** The person or job on whose behalf the session is rotated, for the history; at most 256 characters. */
  readonly actor?: string;
}

/** Checks the options of a rotation, and returns them with the default grace period. */
export function checkRotateOptions(options: RotateOptions, maxGraceMs: number): RotateOptions & { graceMs: number } {
  assertKnownOptions(options, ['graceMs', 'actor']);
  const { graceMs = maxGraceMs, actor } = options;
  assertActor(actor);
  if (isDuration(graceMs, 0, maxGraceMs)) return { graceMs, ...(actor !== undefined && { actor }) };
  const expectation = `must be a whole number of milliseconds from 0 to ${maxGraceMs}, the rotationGraceMs of the module`;
  throw new SessionInputError('graceMs', 'range', `${expectation}${kindMismatch(graceMs, 'a number')}.`, maxGraceMs);
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

/** Returns the options that are set, so that spreading them overrides the defaults. */
function checkEnding<T extends EndOptions>(options: T): T {
  assertActor(options.actor);
  if (options.reason !== undefined && !CALLER_END_REASONS.includes(options.reason)) {
    const expectation = `must be one of ${CALLER_END_REASONS.join(', ')}${kindMismatch(options.reason, 'a string')}.`;
    throw new SessionInputError('reason', 'format', expectation);
  }
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as T;
}
