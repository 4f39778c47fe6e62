import type { IncomingMessage } from 'node:http';
import { type ExecutionContext, ForbiddenException } from '@nestjs/common';
import type { ServiceCredential } from '../service/service-credential.js';
import type { Session } from '../model/session.js';

/** A request as the guards see it, whatever the transport and the adapter. */
export interface GuardedRequest {
  /** The address of the caller, as the adapter determined it. */
  readonly source: string | undefined;
  /** All values of a header, in the order sent: more than one where a client sent it twice. */
  headerValues(name: string): readonly string[];
  /** Sets a header of the response. */
  setResponseHeader(name: string, value: string): void;
  /** Who calls, once `ServiceAuthGuard` has found out. */
  service?: ServiceCredential;
  /** Whose session it is, once `SessionGuard` has found out. */
  session?: Session;
}

/** Express has the Node request itself, Fastify has it as `raw`. */
type AdapterRequest = (IncomingMessage | { readonly raw: IncomingMessage }) & {
  readonly ip?: string;
  [GUARDED]?: GuardedRequest;
};

interface AdapterResponse {
  header(name: string, value: string): unknown;
}

const GUARDED = Symbol('nestjs-distributed-session guarded request');

/**
 * The request of a context: the one place that knows the transports. All guards and decorators of one request get
 * the same object. An unknown transport is refused, never let through.
 */
export function requestOf(context: ExecutionContext): GuardedRequest {
  if (context.getType() !== 'http') {
    throw new ForbiddenException(`The session guards do not know the transport '${context.getType()}', and refuse it.`);
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
 * Names, in lower case, and values. The raw headers, because of an `Authorization` that is sent twice the parsed ones
 * show only the first. Requests that no Node server made, such as those of serverless adapters, have only parsed ones.
 */
function headersOf({ rawHeaders = [], headers }: Partial<IncomingMessage>): readonly (readonly [string, string])[] {
  const pairs = rawHeaders.flatMap((name, index) => (index % 2 === 0 ? [[name, rawHeaders[index + 1]!] as const] : []));
  const parsed = Object.entries(headers ?? {}).flatMap(([name, value = []]) =>
    [value].flat().map((one) => [name, one] as const),
  );
  return (pairs.length > 0 ? pairs : parsed).map(([name, value]) => [name.toLowerCase(), value]);
}
