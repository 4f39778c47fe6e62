import { SessionInputError } from '../errors/session.errors.js';
import { isPlainObject } from '../model/attributes.js';
import { INPUT_LIMITS } from '../model/input-limits.js';
import type { SessionClient } from '../model/session.js';
import { kindMismatch } from '../model/value-kind.js';
import { shownUnknown, unknownName } from '../options/unknown-name.js';

const FIELDS = ['ip', 'userAgent'];

/**
 * Returns the client of a login as it is stored, or `undefined` if nothing of it is known.
 *
 * The client itself chooses these texts, in its `User-Agent` or, in front of some proxies, in `X-Forwarded-For`. So no
 * text is invalid: an invalid one could keep a user from logging in. A long one is cut, an empty one is absent.
 *
 * @throws {SessionInputError} when the application passes anything but texts.
 */
export function checkClient(client: unknown): SessionClient | undefined {
  if (!isPlainObject(client)) {
    throw new SessionInputError('client', 'type', `must be a plain object${kindMismatch(client, 'an object')}.`);
  }
  const unknown = Object.keys(client).find((name) => !FIELDS.includes(name));
  if (unknown !== undefined) {
    const error = unknownName('field', unknown, FIELDS, 'client.');
    throw new SessionInputError(`client.${shownUnknown(unknown, FIELDS)}`, 'unknown-field', error);
  }
  const ip = cut('client.ip', client['ip'], INPUT_LIMITS.maxClientIpLength);
  const userAgent = cut('client.userAgent', client['userAgent'], INPUT_LIMITS.maxUserAgentLength);
  if (ip === undefined && userAgent === undefined) return undefined;
  return { ...(ip !== undefined && { ip }), ...(userAgent !== undefined && { userAgent }) };
}

/** Cuts a text to its size, never between the two halves of a character. */
function cut(field: string, value: unknown, maxLength: number): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== 'string') {
    throw new SessionInputError(field, 'type', `must be a string${kindMismatch(value, 'a string')}.`);
  }
  const shown = value.trim().toWellFormed();
  if (shown.length <= maxLength) return shown === '' ? undefined : shown;
  const start = shown.slice(0, maxLength);
  return start.isWellFormed() ? start : start.slice(0, -1);
}
