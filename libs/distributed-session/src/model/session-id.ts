/**
 * The form of a session id: a lower-case UUID (RFC 9562) of any version.
 *
 * @example
 * const schema = { type: 'string', format: 'uuid', pattern: SESSION_ID_PATTERN.source };
 */
export const SESSION_ID_PATTERN = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The length of a session id in characters. */
export const SESSION_ID_LENGTH = 36;

/** Returns whether a value has the form of a session id. */
export function isSessionId(value: unknown): value is string {
  return typeof value === 'string' && SESSION_ID_PATTERN.test(value);
}
