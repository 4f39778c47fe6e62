import { describe, expect, it } from '@jest/globals';
import { DistributedSessionError } from './distributed-session.error.js';
import { OptionsError } from './options.error.js';
import { PackageUnavailableError } from './package-unavailable.error.js';
import * as request from './request.errors.js';
import * as service from './service.errors.js';
import * as session from './session.errors.js';
import * as storage from './storage.errors.js';

const ending = { reason: 'logged-out', endedAt: 1, endedBy: 'svc' } as const;

/** Codes are public API: a change breaks programs that branch on them. */
const CODES: Record<string, DistributedSessionError> = {
  ERR_OPTIONS: new OptionsError('Invalid options:', ['one', 'two']),
  ERR_PACKAGE_UNAVAILABLE: new PackageUnavailableError('fast-check', 'Install it.'),
  ERR_REQUEST_HEADER: new request.RequestHeaderError('Host was sent more than once.'),
  ERR_TRANSPORT_NOT_SUPPORTED: new request.UnsupportedTransportError('rpc'),
  ERR_SESSION_MISSING: new session.SessionMissingError(),
  ERR_SESSION_NOT_FOUND: new session.SessionNotFoundError('id'),
  ERR_SESSION_ENDED: new session.SessionEndedError('id', ending),
  ERR_SESSION_CONFLICT: new session.SessionConflictError('id', 1, 2),
  ERR_SESSION_LIMIT: new session.SessionLimitError(1),
  ERR_SESSION_INPUT: new session.SessionInputError('field', 'type', 'is wrong.'),
  ERR_SERVICE_NOT_FOUND: new service.ServiceNotFoundError('pay'),
  ERR_SERVICE_EXISTS: new service.ServiceExistsError('pay'),
  ERR_SERVICE_CONFLICT: new service.ServiceConflictError('pay'),
  ERR_SERVICE_INPUT: new service.ServiceInputError('field', 'is wrong.'),
  ERR_SERVICE_AUTHENTICATION: new service.ServiceAuthenticationError(),
  ERR_SERVICE_PERMISSION: new service.ServicePermissionError('pay', 'session.read'),
  ERR_STORAGE_UNAVAILABLE: new storage.StorageUnavailableError(),
  ERR_STORAGE_OUTCOME_UNKNOWN: new storage.StorageOutcomeUnknownError(),
  ERR_STORAGE_CORRUPT: new storage.StorageCorruptError('is corrupt.'),
  ERR_STORAGE_NEWER_FORMAT: new storage.StorageNewerFormatError('Session id'),
  ERR_STORAGE_FULL: new storage.StorageFullError(1),
  ERR_KEY_UNAVAILABLE: new storage.KeyUnavailableError('key'),
};

describe('DistributedSessionError', () => {
  it.each(Object.entries(CODES))('%s is the code of a class that sets its own name and a message', (code, error) => {
    expect(error).toBeInstanceOf(DistributedSessionError);
    expect(error.code).toBe(code);
    expect(error.name).toBe(error.constructor.name);
    expect(error.name).toMatch(/^[A-Z]\w+Error$/);
    expect(error.message).toMatch(/^\S[^]+\S$/);
  });

  it('gives every exported class a unique code', () => {
    const exported = [
      OptionsError,
      PackageUnavailableError,
      ...[request, session, service, storage].flatMap((module) => Object.values(module)),
    ];
    expect(new Set(Object.values(CODES).map((error) => error.constructor))).toEqual(new Set(exported));
  });

  it('makes SessionEndedError a SessionNotFoundError', () => {
    expect(CODES['ERR_SESSION_ENDED']).toBeInstanceOf(session.SessionNotFoundError);
  });

  it('keeps the cause of a storage error but not in the message', () => {
    const cause = new Error('CANARY');
    const error = new storage.StorageUnavailableError(undefined, { cause });
    expect(error.cause).toBe(cause);
    expect(error.message).not.toContain('CANARY');
  });

  it('lists every error of the options in one message', () => {
    expect(CODES['ERR_OPTIONS']!.message).toBe('Invalid options:\n  - one\n  - two');
  });
});
