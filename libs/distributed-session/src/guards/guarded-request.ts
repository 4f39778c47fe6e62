import type { IncomingMessage } from 'node:http';
import { type ExecutionContext, ForbiddenException } from '@nestjs/common';
import type { Session } from '../model/session.js';
import type { VerifiedService } from '../service/service-credential.js';

/** A request as the guards see it, independent of transport and adapter. */
export interface GuardedRequest {
  /** The caller's IP address, as the adapter determined it. */
  readonly source: string | undefined;
  /** Returns all values of a header in the order sent: several if the client sent the header several times. */
  headerValues(name: string): readonly string[];
  /** Sets a response header. */
  setResponseHeader(name: string, value: string): void;
  /** The calling service and the secret that authenticated it, after `ServiceAuthGuard` verified it. */
  service?: VerifiedService;
  /** The session, after `SessionGuard` verified it. */
  session?: Session;
}

/** An Express request is the Node request itself; a Fastify request has it as `raw`. */
type AdapterRequest = (IncomingMessage | { readonly raw: IncomingMessage }) & {
  readonly ip?: string;
  [GUARDED]?: GuardedRequest;
};

interface AdapterResponse {
  header(name: string, value: string): unknown;
}

const GUARDED = Symbol('nestjs-distributed-session guarded request');

/**
 * Returns the guards' view of a context's request: the same object for all guards and decorators of one request. This
 * is the only place that knows the transports.
 *
 * @example
 * // A test replaces SessionGuard:
 * const stub: CanActivate = {
 *   canActivate(context) {
 *     guardedRequestOf(context).session = { loginId: 'alice', attributes: {} } as Session;
 *     return true;
 *   },
 * };
 *
 * @throws {ForbiddenException} on a transport that is not supported.
 */
export function guardedRequestOf(context: ExecutionContext): GuardedRequest {
  if (context.getType() !== 'http') {
    throw new ForbiddenException(`The session guards do not support the transport '${context.getType()}'.`);
  }
  const http = context.switchToHttp();
  const request = http.getRequest<AdapterRequest>();
  request[GUARDED] ??= httpRequest(request, http.getResponse<AdapterResponse>());
  return request[GUARDED];
}

function httpRequest(request: AdapterRequest, response: AdapterResponse): GuardedRequest {
  const headers = headersOf('raw' in request ? request.raw : request);
  return {
    source: request.ip,
    headerValues: (name) => headers.filter(([given]) => given === name.toLowerCase()).map(([, value]) => value),
    setResponseHeader: (name, value) => void response.header(name, value),
  };
}

/**
 * Returns lower-case names and values. Raw headers come first, because the parsed headers contain only the first of
 * several `Authorization` headers. Requests from serverless adapters have only parsed headers.
 */
function headersOf({ rawHeaders = [], headers }: Partial<IncomingMessage>): readonly (readonly [string, string])[] {
  const pairs = rawHeaders.flatMap((name, index) => (index % 2 === 0 ? [[name, rawHeaders[index + 1]!] as const] : []));
  const parsed = Object.entries(headers ?? {}).flatMap(([name, value = []]) =>
    [value].flat().map((one) => [name, one] as const),
  );
  return (pairs.length > 0 ? pairs : parsed).map(([name, value]) => [name.toLowerCase(), value]);
}
