import { STATUS_CODES } from 'node:http';
import type { DistributedSessionErrorCode } from 'nestjs-distributed-session';
import type { RequestErrorCode } from '../http/problem.js';

/**
 * The codes of all problems. `ERR_OPTIONS` prevents the start, `ERR_SESSION_MISSING` is about a user's own request and
 * `ERR_TRANSPORT_NOT_SUPPORTED` about other transports, so
 * no response has them.
 */
export type ProblemCode =
  | Exclude<DistributedSessionErrorCode, 'ERR_OPTIONS' | 'ERR_SESSION_MISSING' | 'ERR_TRANSPORT_NOT_SUPPORTED'>
  | RequestErrorCode
  | 'ERR_INTERNAL';

export interface ProblemExample {
  readonly status: number;
  /** When the problem occurs with this status, as a clause. */
  readonly when: string;
  /** The fields of this problem, in addition to those of every problem. */
  readonly fields?: Readonly<Record<string, unknown>>;
}

const REQUEST_ID = '01995f3e-7a1b-4c1d-8e2f-3a4b5c6d7e8f';
const FIELD = { field: 'loginId', errors: [{ field: 'loginId', message: 'loginId must be a string, not a number.' }] };

export const PROBLEM_EXAMPLES: Readonly<Record<ProblemCode, ProblemExample>> = {
  ERR_REQUEST_INPUT: { status: 400, when: 'a field is missing, unknown or of the wrong type', fields: FIELD },
  ERR_REQUEST_JSON: { status: 400, when: 'the body is not valid JSON, or is not exact', fields: { field: 'body' } },
  ERR_REQUEST_HEADER: {
    status: 400,
    when: 'a header is malformed or was sent more than once',
    fields: { field: 'if-match' },
  },
  ERR_REQUEST_PATH: { status: 400, when: 'the path is not valid percent-encoded UTF-8' },
  ERR_REQUEST_CROSS_SITE: { status: 403, when: 'a page of another origin sent the request' },
  ERR_SESSION_INPUT: {
    status: 400,
    when: 'a value of a session is invalid',
    fields: { field: 'loginId', constraint: 'length', limit: 256 },
  },
  ERR_SERVICE_INPUT: {
    status: 400,
    when: 'a value of a service is invalid',
    fields: { field: 'permissions[0]' },
  },
  ERR_SERVICE_AUTHENTICATION: { status: 401, when: 'the calling service is not authenticated' },
  ERR_SERVICE_PERMISSION: {
    status: 403,
    when: 'the calling service lacks a permission',
    fields: { permission: 'session.write:order.total' },
  },
  ERR_ROUTE_NOT_FOUND: { status: 404, when: 'the route does not exist' },
  ERR_SESSION_NOT_FOUND: { status: 404, when: 'the session does not exist, or the credential is invalid' },
  ERR_ATTRIBUTE_NOT_FOUND: {
    status: 404,
    when: 'the attribute is not set, or the caller may not read it',
    fields: { field: 'key' },
  },
  ERR_SERVICE_NOT_FOUND: { status: 404, when: 'no service with this id is registered' },
  ERR_METHOD_NOT_ALLOWED: {
    status: 405,
    when: 'the route does not support the method; `Allow` lists the supported ones',
  },
  ERR_SESSION_CONFLICT: {
    status: 409,
    when: 'other writers repeatedly changed the session at the same time',
    fields: { currentVersion: 9 },
  },
  ERR_SESSION_LIMIT: { status: 409, when: 'the user has reached the session limit', fields: { limit: 100 } },
  ERR_SERVICE_EXISTS: { status: 409, when: 'a service with this id is already registered' },
  ERR_SERVICE_CONFLICT: { status: 409, when: 'the service already has two valid secrets' },
  ERR_SESSION_ENDED: {
    status: 410,
    when: 'the session has ended; `reason` and `endedBy` state why and by whom',
    fields: { reason: 'kicked-out', endedAt: 1_893_456_000_000, endedBy: 'user' },
  },
  ERR_REQUEST_TOO_LARGE: { status: 413, when: 'the body exceeds the limit' },
  ERR_REQUEST_CONTENT_TYPE: {
    status: 415,
    when: 'the body is not `application/json`',
    fields: { field: 'Content-Type' },
  },
  ERR_IDEMPOTENCY_KEY_REUSED: {
    status: 422,
    when: 'the `Idempotency-Key` was already used for a different request',
    fields: { field: 'Idempotency-Key' },
  },
  ERR_VERSION_REQUIRED: { status: 428, when: '`If-Match` is missing or `*`', fields: { field: 'If-Match' } },
  ERR_INTERNAL: { status: 500, when: 'an unexpected error occurred; see the log for the request id' },
  ERR_STORAGE_CORRUPT: { status: 500, when: 'the stored record is not valid' },
  ERR_PACKAGE_UNAVAILABLE: { status: 500, when: 'the secret needs argon2, which is not installed for this platform' },
  ERR_STORAGE_UNAVAILABLE: { status: 503, when: 'the storage is not available; the operation was not applied' },
  ERR_STORAGE_OUTCOME_UNKNOWN: {
    status: 503,
    when: 'the reply of the storage was lost; read the current state before you retry',
  },
  ERR_STORAGE_NEWER_FORMAT: {
    status: 503,
    when: 'a later release wrote the stored record; repeat the request on an instance that runs it',
  },
  ERR_STORAGE_FULL: { status: 503, when: 'the storage is full' },
  ERR_KEY_UNAVAILABLE: { status: 503, when: 'this process does not have the key of a stored token' },
  ERR_TOO_MANY_STREAMS: { status: 503, when: 'the limit of open event streams is reached' },
};

/** The codes that some routes return with another than the usual status, and when. */
const OTHER_STATUS: readonly (readonly [code: ProblemCode, status: number, when: string])[] = [
  ['ERR_SESSION_CONFLICT', 412, 'the session is no longer at the version in `If-Match`'],
  ['ERR_SERVICE_AUTHENTICATION', 422, 'the credential in the body is not valid'],
  ['ERR_REQUEST_HEADER', 431, 'the request line and headers exceed the limit'],
  ['ERR_SERVICE_AUTHENTICATION', 429, 'too many attempts have failed; `Retry-After` contains the delay'],
];

/** Returns the name of an example in the components of the OpenAPI document. */
export function exampleName(code: ProblemCode, status: number): string {
  return status === PROBLEM_EXAMPLES[code].status ? code : `${code}_${status}`;
}

/** Returns when a problem occurs with this status, as a clause. */
export function whenOf(code: ProblemCode, status: number): string {
  const other = OTHER_STATUS.find(([otherCode, otherStatus]) => otherCode === code && otherStatus === status);
  return other?.[2] ?? PROBLEM_EXAMPLES[code].when;
}

/** Returns an example of every problem by {@link exampleName}. */
export function problemExamples(): Record<string, { readonly summary: string; readonly value: object }> {
  const usual = Object.entries(PROBLEM_EXAMPLES).map(([code, { status }]) => [code as ProblemCode, status] as const);
  return Object.fromEntries(
    [...usual, ...OTHER_STATUS].map(([code, status]) => [
      exampleName(code, status),
      { summary: whenOf(code, status), value: problemExample(code, status) },
    ]),
  );
}

function problemExample(code: ProblemCode, status: number): object {
  const when = whenOf(code, status);
  return {
    type: `urn:problem-type:distributed-session:${code}`,
    title: STATUS_CODES[status],
    status,
    detail: `${when[0]!.toUpperCase()}${when.slice(1)}.`,
    code,
    ...PROBLEM_EXAMPLES[code].fields,
    requestId: REQUEST_ID,
  };
}
