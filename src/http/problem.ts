import { STATUS_CODES } from 'node:http';
import type { HttpException } from '@nestjs/common';
import { SessionEndedError } from 'nestjs-distributed-session';

/** An error as a client sees it: problem details (RFC 9457), with the fields that it can act on. */
export interface Problem {
  /** Names the kind of problem: `urn:problem-type:distributed-session:` and the code. */
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  /** What programs branch on. */
  readonly code: string;
  readonly requestId?: string;
  readonly [extension: string]: unknown;
}

export const PROBLEM_TYPE = 'application/problem+json';

/** What the library's messages say in terms of methods, in terms of routes. */
const DETAILS: Readonly<Partial<Record<string, string>>> = {
  ERR_SESSION_CONFLICT:
    'The session was changed since that version. Read it again and repeat the change, or PATCH its attributes, which merges.',
  ERR_SESSION_LIMIT: 'The login, or this device of it, has as many sessions as it may have. End one first.',
  ERR_SERVICE_NOT_FOUND: 'No service of this id is registered. POST /v1/services registers one.',
  ERR_SERVICE_EXISTS:
    'The service id is taken. Send "replace": true to replace the service and its secrets, or POST /v1/services/{serviceId}/secrets to give it a new secret.',
  ERR_SERVICE_CONFLICT:
    'The service has two good secrets, or was changed meanwhile. End one with DELETE /v1/services/{serviceId}/secrets/{keyId}, or send "overlapMs": 0 to end both.',
};

/** The problem that an exception with `code` and `message` in its body tells of. */
export function problemOf(exception: HttpException, requestId?: string): Problem {
  const { statusCode, error, code, message, ...fields } = exception.getResponse() as Record<string, unknown>;
  const status = exception.getStatus();
  const { cause } = exception;
  // To a service, unlike to the client of one, it is also told by whom.
  const ending = cause instanceof SessionEndedError ? { endedBy: cause.endedBy, rotatedTo: cause.rotatedTo } : {};
  return {
    type: `urn:problem-type:distributed-session:${String(code)}`,
    title: STATUS_CODES[status] ?? 'Error',
    status,
    detail: DETAILS[String(code)] ?? String(message),
    code: String(code),
    ...fields,
    ...ending,
    ...(requestId !== undefined && { requestId }),
  };
}
