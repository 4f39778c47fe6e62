import { randomBytes } from 'node:crypto';
import { SessionInputError } from '../errors/session.errors.js';
import { INPUT_LIMITS } from '../model/input-limits.js';
import { SESSION_ID_LENGTH, isSessionId } from '../model/session-id.js';
import { kindMismatch } from '../model/value-kind.js';

/**
 * The form of a session's token: that of a bearer token (b64token, RFC 6750 section 2.1). All its characters are also
 * valid in a cookie, and a percent sign is none of them, so that a cookie that was percent-encoded can be decoded.
 *
 * @example
 * const schema = { type: 'string', pattern: TOKEN_PATTERN.source, maxLength: INPUT_LIMITS.maxTokenLength };
 */
export const TOKEN_PATTERN = /^[\w.~+/-]+=*$/;

/** What earlier builds accepted as a token (cookie-octet, RFC 6265 section 4.1.1): it still authenticates. */
const EARLIER_TOKEN_PATTERN = /^[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]+$/;

const { maxTokenLength } = INPUT_LIMITS;

/**
 * A client's credential in two parts: the id of the session and the token that authenticates the client.
 *
 * @example
 * const session = await sessions.verifySession({ sessionId, token });
 */
export interface SessionCredential {
  readonly sessionId: string;
  readonly token: string;
}

/** Returns 256 random bits of the CSPRNG as base64url (ASVS 7.2.3), independent of user, time and host. */
export function generateToken(): string {
  return randomBytes(32).toString('base64url');
}

/** Returns the text that a client keeps and sends: `<sessionId>.<token>`. */
export function formatCredential({ sessionId, token }: SessionCredential): string {
  return `${sessionId}.${token}`;
}

/** Parses a credential without accessing the storage. Throws {@link SessionInputError} if it is malformed. */
export function parseCredential(credential: unknown): SessionCredential {
  if (typeof credential === 'string') {
    const parsed = {
      sessionId: credential.slice(0, SESSION_ID_LENGTH),
      token: credential.slice(SESSION_ID_LENGTH + 1),
    };
    if (credential[SESSION_ID_LENGTH] === '.' && isSessionId(parsed.sessionId) && isToken(parsed.token)) return parsed;
  } else if (typeof credential === 'object' && credential !== null) {
    const { sessionId, token } = credential as Partial<SessionCredential>;
    if (isSessionId(sessionId) && isToken(token)) return { sessionId, token };
  }
  const kind = kindMismatch(credential, 'a string', 'an object');
  const expectation = `must be "<sessionId>.<token>", as createSession() returned it${kind}.`;
  throw new SessionInputError('credential', 'format', expectation);
}

export function assertSessionId(sessionId: unknown, field = 'sessionId'): asserts sessionId is string {
  if (isSessionId(sessionId)) return;
  const expectation = `must be a lower-case UUID of ${SESSION_ID_LENGTH} characters${kindMismatch(sessionId, 'a string')}.`;
  throw new SessionInputError(field, 'format', expectation, SESSION_ID_LENGTH);
}

/** The default minimum length of a caller's token: 128 bits in base64url (ASVS 7.2.3). */
export const STRONG_TOKEN_LENGTH = 22;
const MIN_DIFFERENT_CHARACTERS = 8;
/** A token that repeats a shorter text than this is as easy to guess as that text. */
const MIN_PERIOD = 16;

/**
 * Checks a caller's token: `minLength` to 4,000 characters that every carrier transports, counted as cookie libraries
 * encode them. Where strong tokens are required, it must not be repetitive.
 */
export function assertToken(token: unknown, minLength = STRONG_TOKEN_LENGTH): asserts token is string {
  if (typeof token !== 'string') {
    throw new SessionInputError('token', 'type', `must be a string${kindMismatch(token, 'a string')}.`);
  }
  if (token === '') throw new SessionInputError('token', 'empty', 'must not be empty. Omit it to have one generated.');
  if (token.length > maxTokenLength) {
    const expectation = `must be at most ${maxTokenLength} characters long, not ${token.length}.`;
    throw new SessionInputError('token', 'length', expectation, maxTokenLength);
  }
  if (!TOKEN_PATTERN.test(token)) {
    const expectation =
      'must consist of letters, digits and - . _ ~ + /, and may end in = (RFC 6750), as Base64, base64url and JWTs do: ' +
      'not every cookie, header and library transports other characters.';
    throw new SessionInputError('token', 'format', expectation);
  }
  const { length } = encodeURIComponent(token);
  if (length > maxTokenLength) {
    const expectation =
      `must be at most ${maxTokenLength} characters long in a cookie, not ${length}: cookie libraries ` +
      'encode each +, / and = in three characters. Use base64url.';
    throw new SessionInputError('token', 'length', expectation, maxTokenLength);
  }
  if (token.length < minLength) {
    const expectation =
      `must be at least ${minLength} characters long, not ${token.length}. Omit it to have one generated, or lower ` +
      'minTokenLength to bind the tokens that your application issues already.';
    throw new SessionInputError('token', 'length', expectation, minLength);
  }
  if (minLength >= STRONG_TOKEN_LENGTH && isRepetitive(token)) {
    const expectation = 'is easy to guess: it repeats few characters. Omit it to have one generated.';
    throw new SessionInputError('token', 'format', expectation);
  }
}

/** Returns whether a text has few different characters, or repeats a short part of itself from end to end. */
function isRepetitive(text: string): boolean {
  if (new Set(text).size < MIN_DIFFERENT_CHARACTERS) return true;
  const periods = Array.from({ length: MIN_PERIOD - 1 }, (_, index) => index + 1);
  return periods.some((period) => text.startsWith(text.slice(period)));
}

function isToken(value: unknown): value is string {
  return typeof value === 'string' && value.length <= maxTokenLength && EARLIER_TOKEN_PATTERN.test(value);
}
