import type { OptionsError } from './options.error.js';
import type { PackageUnavailableError } from './package-unavailable.error.js';
import type { RequestHeaderError, UnsupportedTransportError } from './request.errors.js';
import type {
  ServiceAuthenticationError,
  ServiceConflictError,
  ServiceExistsError,
  ServiceInputError,
  ServiceNotFoundError,
  ServicePermissionError,
} from './service.errors.js';
import type {
  SessionConflictError,
  SessionEndedError,
  SessionInputError,
  SessionLimitError,
  SessionMissingError,
  SessionNotFoundError,
} from './session.errors.js';
import type {
  KeyUnavailableError,
  StorageCorruptError,
  StorageFullError,
  StorageNewerFormatError,
  StorageOutcomeUnknownError,
  StorageUnavailableError,
} from './storage.errors.js';

/**
 * The union of all errors of this library, for a `switch` over `error.code` that the compiler checks for completeness.
 *
 * @example
 * function isRetryable({ code }: AnyDistributedSessionError): boolean {
 *   return code === 'ERR_STORAGE_UNAVAILABLE';
 * }
 */
export type AnyDistributedSessionError =
  | OptionsError
  | PackageUnavailableError
  | RequestHeaderError
  | UnsupportedTransportError
  | SessionMissingError
  | (SessionNotFoundError & { readonly code: 'ERR_SESSION_NOT_FOUND' })
  | SessionEndedError
  | SessionConflictError
  | SessionLimitError
  | SessionInputError
  | ServiceNotFoundError
  | ServiceExistsError
  | ServiceConflictError
  | ServiceInputError
  | ServiceAuthenticationError
  | ServicePermissionError
  | StorageUnavailableError
  | StorageOutcomeUnknownError
  | StorageCorruptError
  | StorageNewerFormatError
  | StorageFullError
  | KeyUnavailableError;
