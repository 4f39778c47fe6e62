/** Every code an error of this library can carry. Codes are stable: programs branch on them, never on messages. */
export type DistributedSessionErrorCode =
  | 'ERR_OPTIONS'
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
  | 'ERR_STORAGE_FULL'
  | 'ERR_KEY_UNAVAILABLE';

/**
 * The base of every error this library throws on purpose.
 *
 * It is an error of the domain, not of a transport: {@link toHttpException} turns it into the answer of a
 * route. Its message names the fault and the way out, and never holds a token, a secret or an attribute value.
 */
export abstract class DistributedSessionError extends Error {
  abstract readonly code: DistributedSessionErrorCode;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}
