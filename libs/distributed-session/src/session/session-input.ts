import { SessionInputError } from '../errors/session.errors.js';
import type { AttributeInput } from './attributes.js';
import type { SessionClient } from './session.js';
import { type SessionTimeouts, combineTimeouts, isDuration } from './session-timeouts.js';

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

const MAX_LOGIN_ID_LENGTH = 256;
const MAX_DEVICE_LENGTH = 64;
const MAX_ACTOR_LENGTH = 256;
const MAX_IP_LENGTH = 64;
const MAX_USER_AGENT_LENGTH = 1_024;

/** Any characters, 1 to 256, that have a UTF-8 form: two ill-formed ids could become one on the way to a store. */
export function assertLoginId(loginId: unknown): asserts loginId is string {
  assertText('loginId', loginId, MAX_LOGIN_ID_LENGTH);
}

export function assertDevice(device: unknown): asserts device is string | undefined {
  if (device !== undefined) assertText('device', device, MAX_DEVICE_LENGTH);
}

export function assertActor(actor: unknown): asserts actor is string | undefined {
  if (actor !== undefined) assertText('actor', actor, MAX_ACTOR_LENGTH);
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

/** Checks the options of `createSession()` but for the attributes; returns the timeouts to use. */
export function checkCreateOptions(options: CreateSessionOptions, defaults: SessionTimeouts): SessionTimeouts {
  assertKnownOptions(options, CREATE_OPTIONS);
  assertDevice(options.device);
  if (options.client !== undefined) {
    assertKnownOptions(options.client, ['ip', 'userAgent']);
    if (options.client.ip !== undefined) assertText('client.ip', options.client.ip, MAX_IP_LENGTH);
    const { userAgent } = options.client;
    if (userAgent !== undefined) assertText('client.userAgent', userAgent, MAX_USER_AGENT_LENGTH);
  }
  for (const name of ['idleTimeoutMs', 'absoluteTimeoutMs'] as const) {
    const value = options[name];
    if (value === undefined || value === null || isDuration(value)) continue;
    throw new SessionInputError(name, 'range', 'must be a whole number of milliseconds from 1 on, at most ten years.');
  }
  const timeouts = combineTimeouts(defaults, options);
  if ('fault' in timeouts) throw new SessionInputError('timeouts', 'range', `do not fit: ${timeouts.fault}`);
  return timeouts;
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
