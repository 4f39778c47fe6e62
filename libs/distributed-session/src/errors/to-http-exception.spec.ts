import { HttpException, HttpStatus } from '@nestjs/common';
import { describe, expect, it } from '@jest/globals';
import * as library from '../index.js';
import type { DistributedSessionError } from './distributed-session.error.js';
import { OptionsError } from './options.error.js';
import * as request from './request.errors.js';
import * as service from './service.errors.js';
import * as session from './session.errors.js';
import * as storage from './storage.errors.js';
import { retryAfterSeconds, toHttpException } from './to-http-exception.js';

const ending = { reason: 'kicked-out', endedAt: 5, endedBy: 'admin-service', rotatedTo: 'next-id' } as const;
const cause = new Error('CANARY of a driver');

type Row = [error: DistributedSessionError, status: number, fields: object, retryAfter?: number];
const table: Row[] = [
  [new OptionsError('Invalid options:', ['an error']), 500, {}],
  [new request.RequestHeaderError('Host was sent more than once.'), 400, {}],
  [new request.RequestHeaderError('The request has too many headers.', 1_000), 431, { limit: 1_000 }],
  [new request.UnsupportedTransportError('rpc'), 403, { transport: 'rpc' }],
  [new session.SessionMissingError(), 401, {}],
  [new session.SessionNotFoundError('id'), 404, {}],
  [new session.SessionEndedError('id', ending), 410, { reason: 'kicked-out', endedAt: 5 }],
  [new session.SessionConflictError('id', 1, 2), 409, { currentVersion: 2 }],
  [new session.SessionLimitError(3), 409, { limit: 3 }],
  [new session.SessionLimitError(3, 'web'), 409, { limit: 3, device: 'web' }],
  [
    new session.SessionInputError('loginId', 'length', 'is too long.', 256),
    400,
    { field: 'loginId', constraint: 'length', limit: 256 },
  ],
  [new service.ServiceNotFoundError('pay'), 404, {}],
  [new service.ServiceExistsError('pay'), 409, {}],
  [new service.ServiceConflictError('pay'), 409, {}],
  [
    new service.ServiceInputError('permissions[1]', 'is not a valid permission.', 9),
    400,
    { field: 'permissions[1]', limit: 9 },
  ],
  [new service.ServiceAuthenticationError(), 401, {}],
  [new service.ServiceAuthenticationError(1_001), 429, {}, 2],
  [new service.ServicePermissionError('pay', 'session.read'), 403, { permission: 'session.read' }],
  [new storage.StorageUnavailableError(undefined, { cause }), 503, {}, 1],
  [new storage.StorageOutcomeUnknownError(undefined, { cause }), 503, {}, 1],
  [new storage.StorageCorruptError('The stored session id is corrupt.', { cause }), 500, {}],
  [new storage.StorageNewerFormatError('Session id'), 503, {}, 1],
  [new storage.StorageFullError(9), 503, {}, 1],
  [new storage.KeyUnavailableError('key-7'), 503, {}, 1],
];

describe('toHttpException', () => {
  it.each(table.map((row) => [`${row[0].name} (${row[1]})`, row] as const))(
    'converts %s into a response with its code, message and fields, and nothing else',
    (_, [error, statusCode, fields, retryAfter]) => {
      const exception = toHttpException(error);
      expect(exception).toBeInstanceOf(HttpException);
      expect(exception.getStatus()).toBe(statusCode);
      const body: unknown = JSON.parse(JSON.stringify(exception.getResponse()));
      expect(body).toEqual({ statusCode, code: error.code, message: error.message, ...fields });
      expect(JSON.stringify(body)).not.toContain('CANARY');
      expect(exception.cause).toBe(error);
      expect(retryAfterSeconds(error)).toBe(retryAfter);
    },
  );

  it('converts every error class: the table is complete', () => {
    const classes = [OptionsError, ...[request, session, service, storage].flatMap((module) => Object.values(module))];
    expect(new Set(table.map(([error]) => error.constructor))).toEqual(new Set(classes));
    expect(classes).toHaveLength(21);
  });

  it('is exported with retryAfterSeconds()', () => {
    expect(library).toMatchObject({ toHttpException, retryAfterSeconds });
  });

  it('uses the given status for the response and in its body', () => {
    const exception = toHttpException(new session.SessionEndedError('id', ending), HttpStatus.UNAUTHORIZED);
    expect(exception.getStatus()).toBe(401);
    expect(exception.getResponse()).toMatchObject({ statusCode: 401, code: 'ERR_SESSION_ENDED', reason: 'kicked-out' });
  });
});
