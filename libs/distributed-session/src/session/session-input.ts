import { SessionInputError } from '../errors/session.errors.js';
import { type AttributeInput, isPlainObject } from '../model/attributes.js';
import { isDuration } from '../model/duration.js';
import { DEFAULT_PAGE_SIZE, INPUT_LIMITS } from '../model/input-limits.js';
import type { SessionClient } from '../model/session.js';
import { type SessionTimeouts, combineTimeouts } from '../model/session-timeouts.js';
import type { ListLogins } from '../storage/session-storage.operations.js';
import { CALLER_END_REASONS, type CallerEndReason } from '../model/end-reason.js';
import { assertSessionId } from './session-credential.js';

/** What `createSession()` takes beside the login and the token. */
export interface CreateSessionOptions {
  /** A label such as `web` or `mobile`, at most 64 characters. The limit per device counts by it. */
  readonly device?: string;
  /** Attributes to start with. */
  readonly attributes?: AttributeInput;
  /** What is known of the client, for the user's list of devices. */
  readonly client?: SessionClient;
  /** For this session instead of the module's; `null` switches it off. */
  readonly idleTimeoutMs?: number | null;
  /** For this session instead of the module's; `null` switches it off. */
  readonly absoluteTimeoutMs?: number | null;
}

const CREATE_OPTIONS = ['device', 'attributes', 'client', 'idleTimeoutMs', 'absoluteTimeoutMs'];

/** Any characters, 1 to 256, that have a UTF-8 form: two ill-formed ids could become one on the way to a store. */
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
  throw new SessionInputError('touch', 'type', 'must be true or false.');
}

/** Refuses names that are not `known`, so that a misspelt option is not silently without effect. */
export function assertKnownOptions(options: object, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null) {
    throw new SessionInputError('options', 'type', 'must be an object.');
  }
  const unknown = Object.keys(options).find((name) => !known.includes(name));
  if (unknown === undefined) return;
  throw new SessionInputError(`options.${unknown}`, 'unknown-field', `is unknown. Known: ${known.join(', ')}.`);
}

/** The options of `createSession()` after their check, but for the attributes. */
export interface CheckedCreateOptions {
  readonly device?: string;
  readonly client?: SessionClient;
  readonly timeouts: SessionTimeouts;
}

export function checkCreateOptions(options: CreateSessionOptions, defaults: SessionTimeouts): CheckedCreateOptions {
  assertKnownOptions(options, CREATE_OPTIONS);
  assertDevice(options.device);
  const client = options.client === undefined ? undefined : checkClient(options.client);
  for (const name of ['idleTimeoutMs', 'absoluteTimeoutMs'] as const) {
    const value = options[name];
    if (value === undefined || value === null || isDuration(value)) continue;
    throw new SessionInputError(name, 'range', 'must be a whole number of milliseconds from 1 on, at most ten years.');
  }
  const timeouts = combineTimeouts(defaults, options);
  if ('error' in timeouts) throw new SessionInputError('timeouts', 'range', `do not fit: ${timeouts.error}`);
  return { device: options.device, client, timeouts };
}

/** A copy of the two fields: what else the caller's object is or does is not stored. */
function checkClient(client: unknown): SessionClient {
  if (!isPlainObject(client)) throw new SessionInputError('client', 'type', 'must be a plain object.');
  const unknown = Object.keys(client).find((name) => name !== 'ip' && name !== 'userAgent');
  if (unknown !== undefined) {
    throw new SessionInputError(`client.${unknown}`, 'unknown-field', 'is unknown. Known: ip, userAgent.');
  }
  const { ip, userAgent } = client;
  if (ip !== undefined) assertText('client.ip', ip, INPUT_LIMITS.maxClientIpLength);
  if (userAgent !== undefined) assertText('client.userAgent', userAgent, INPUT_LIMITS.maxUserAgentLength);
  return { ...(ip !== undefined && { ip }), ...(userAgent !== undefined && { userAgent }) };
}

function assertText(field: string, value: unknown, maxLength: number): asserts value is string {
  if (typeof value !== 'string') throw new SessionInputError(field, 'type', 'must be a string.');
  if (value === '') throw new SessionInputError(field, 'empty', 'must not be empty.');
  if (value.length > maxLength) {
    const expectation = `must be at most ${maxLength} characters long, not ${value.length}.`;
    throw new SessionInputError(field, 'length', expectation, maxLength);
  }
  if (!value.isWellFormed()) {
    throw new SessionInputError(field, 'format', 'must be well-formed Unicode, without lone surrogates.');
  }
}

/** Checks what `listLogins()` was asked for. Whether the cursor is a good one, the storage knows. */
export function checkPage(page: Partial<ListLogins>): ListLogins {
  assertKnownOptions(page, ['limit', 'cursor']);
  const { limit = DEFAULT_PAGE_SIZE, cursor } = page;
  const { maxPageSize, maxCursorLength } = INPUT_LIMITS;
  if (!Number.isSafeInteger(limit) || limit < 1 || limit > maxPageSize) {
    throw new SessionInputError('limit', 'range', `must be a whole number, 1 to ${maxPageSize}.`, maxPageSize);
  }
  if (cursor === undefined) return { limit };
  if (typeof cursor !== 'string' || cursor === '' || cursor.length > maxCursorLength) {
    throw new SessionInputError('cursor', 'format', 'must be what the page before returned as nextCursor.');
  }
  return { limit, cursor };
}

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
