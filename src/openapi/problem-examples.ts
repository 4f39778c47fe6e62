import { STATUS_CODES } from 'node:http';
import type { DistributedSessionErrorCode } from 'nestjs-distributed-session';
import type { RequestErrorCode } from '../http/request.error.js';

/** Every code that a route may answer with. `ERR_OPTIONS` stops the start and is never answered. */
export type ProblemCode = Exclude<DistributedSessionErrorCode, 'ERR_OPTIONS'> | RequestErrorCode | 'ERR_INTERNAL';

export interface ProblemExample {
  readonly status: number;
  /** When it is answered, in a few words. */
  readonly when: string;
  /** What the answer holds beside what every problem has. */
  readonly fields?: Readonly<Record<string, unknown>>;
}

const REQUEST_ID = '01995f3e-7a1b-4c1d-8e2f-3a4b5c6d7e8f';
const FIELD = { field: 'loginId', errors: [{ field: 'loginId', message: 'loginId must be a string.' }] };

export const PROBLEM_EXAMPLES: Readonly<Record<ProblemCode, ProblemExample>> = {
  ERR_REQUEST_INPUT: { status: 400, when: 'a field is missing, unknown, or of the wrong type', fields: FIELD },
  ERR_REQUEST_JSON: { status: 400, when: 'the body is no JSON', fields: { field: 'body' } },
  ERR_REQUEST_HEADER: { status: 400, when: 'a header is malformed or was sent twice', fields: { field: 'if-match' } },
  ERR_REQUEST_PATH: { status: 400, when: 'the path cannot be decoded' },
  ERR_SESSION_INPUT: {
    status: 400,
    when: 'a value about a session is not acceptable',
    fields: { field: 'loginId', constraint: 'length', limit: 256 },
  },
  ERR_SERVICE_INPUT: {
    status: 400,
    when: 'a value about a service is not acceptable',
    fields: { field: 'permissions[0]' },
  },
  ERR_SERVICE_AUTHENTICATION: { status: 401, when: 'the calling service is not proven' },
  ERR_SERVICE_PERMISSION: {
    status: 403,
    when: 'the calling service lacks a permission',
    fields: { permission: 'session.write:order.total' },
  },
  ERR_ROUTE_NOT_FOUND: { status: 404, when: 'there is no such route' },
  ERR_SESSION_NOT_FOUND: { status: 404, when: 'there is no such session, or the credential does not prove it' },
  ERR_ATTRIBUTE_NOT_FOUND: {
    status: 404,
    when: 'the attribute is not set, or hidden from the caller',
    fields: { field: 'key' },
  },
  ERR_SERVICE_NOT_FOUND: { status: 404, when: 'no service of this id is registered' },
  ERR_METHOD_NOT_ALLOWED: { status: 405, when: 'the route has other methods; `Allow` lists them' },
  ERR_SESSION_CONFLICT: {
    status: 409,
    when: 'others wrote to the session again and again',
    fields: { currentVersion: 9 },
  },
  ERR_SESSION_LIMIT: { status: 409, when: 'the login has as many sessions as it may', fields: { limit: 100 } },
  ERR_SERVICE_EXISTS: { status: 409, when: 'the service id is taken' },
  ERR_SERVICE_CONFLICT: { status: 409, when: 'the service has two good secrets already' },
  ERR_SESSION_ENDED: {
    status: 410,
    when: 'the session has ended, and it is known why',
    fields: { reason: 'kicked-out', endedAt: 1_893_456_000_000, endedBy: 'user' },
  },
  ERR_REQUEST_TOO_LARGE: { status: 413, when: 'the body is larger than the service takes' },
  ERR_REQUEST_CONTENT_TYPE: {
    status: 415,
    when: 'the body is not `application/json`',
    fields: { field: 'Content-Type' },
  },
  ERR_IDEMPOTENCY_KEY_REUSED: {
    status: 422,
    when: 'the `Idempotency-Key` was used for another request',
    fields: { field: 'Idempotency-Key' },
  },
  ERR_VERSION_REQUIRED: { status: 428, when: 'there is no `If-Match`, or it is `*`', fields: { field: 'If-Match' } },
  ERR_INTERNAL: { status: 500, when: 'something failed that should not; the log has more under the request id' },
  ERR_STORAGE_CORRUPT: { status: 500, when: 'what is stored is no session of this library' },
  ERR_STORAGE_UNAVAILABLE: { status: 503, when: 'the storage does not answer; not applied' },
  ERR_STORAGE_OUTCOME_UNKNOWN: { status: 503, when: 'the reply of the storage was lost; read before you repeat' },
  ERR_STORAGE_FULL: { status: 503, when: 'the storage holds as much as it may' },
  ERR_KEY_UNAVAILABLE: { status: 503, when: 'the key of an encrypted record is not in this process' },
  ERR_TOO_MANY_STREAMS: { status: 503, when: 'as many event streams are open as may be' },
};

/** The codes that some route answers with another status than the usual one. */
const OTHER_STATUS: readonly (readonly [ProblemCode, number])[] = [
  ['ERR_SESSION_CONFLICT', 412],
  ['ERR_SERVICE_AUTHENTICATION', 422],
  ['ERR_SERVICE_AUTHENTICATION', 429],
];

/** The name of an example among the components of the OpenAPI document. */
export function exampleName(code: ProblemCode, status: number): string {
  return status === PROBLEM_EXAMPLES[code].status ? code : `${code}_${status}`;
}

/** Every problem as it looks, by {@link exampleName}. */
export function problemExamples(): Record<string, { readonly summary: string; readonly value: object }> {
  const usual = Object.entries(PROBLEM_EXAMPLES).map(([code, { status }]) => [code as ProblemCode, status] as const);
  return Object.fromEntries(
    [...usual, ...OTHER_STATUS].map(([code, status]) => [
      exampleName(code, status),
      { summary: PROBLEM_EXAMPLES[code].when, value: problemExample(code, status) },
    ]),
  );
}

function problemExample(code: ProblemCode, status: number): object {
  const { when, fields } = PROBLEM_EXAMPLES[code];
  return {
    type: `urn:problem-type:distributed-session:${code}`,
    title: STATUS_CODES[status],
    status,
    detail: `In words: ${when}.`,
    code,
    ...fields,
    requestId: REQUEST_ID,
  };
}
