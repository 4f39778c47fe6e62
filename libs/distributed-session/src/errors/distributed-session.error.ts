/** The codes of this library's errors. Codes are stable: branch on them, not on messages. */
export type DistributedSessionErrorCode =
  | 'ERR_OPTIONS'
  | 'ERR_PACKAGE_UNAVAILABLE'
  | 'ERR_REQUEST_HEADER'
  | 'ERR_TRANSPORT_NOT_SUPPORTED'
  | 'ERR_SESSION_MISSING'
  | 'ERR_SESSION_NOT_FOUND'
  | 'ERR_SESSION_ENDED'
  | 'ERR_SESSION_CONFLICT'
  | 'ERR_SESSION_LIMIT'
  | 'ERR_SESSION_INPUT'
  | 'ERR_SERVICE_NOT_FOUND'
  | 'ERR_SERVICE_EXISTS'
  | 'ERR_SERVICE_CONFLICT'
  | 'ERR_SERVICE_INPUT'
  | 'ERR_SERVICE_AUTHENTICATION'
  | 'ERR_SERVICE_PERMISSION'
  | 'ERR_STORAGE_UNAVAILABLE'
  | 'ERR_STORAGE_OUTCOME_UNKNOWN'
  | 'ERR_STORAGE_CORRUPT'
  | 'ERR_STORAGE_NEWER_FORMAT'
  | 'ERR_STORAGE_FULL'
  | 'ERR_KEY_UNAVAILABLE';

/**
 * The base class of every error that this library throws on purpose.
 *
 * It is independent of the transport: `toHttpException()` converts it into an HTTP response. The message states the
 * problem and how to fix it, and never contains a token, a secret or an attribute value.
 *
 * @example
 * try {
 *   await sessions.getSession(sessionId);
 * } catch (error) {
 *   if (error instanceof DistributedSessionError && error.code === 'ERR_SESSION_NOT_FOUND') return undefined;
 *   throw error;
 * }
 */
export abstract class DistributedSessionError extends Error {
  abstract readonly code: DistributedSessionErrorCode;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}
