import type { IncomingMessage, Server } from 'node:http';
import { isIPv6 } from 'node:net';
import { RequestError } from './problem.js';
import type { Middleware } from './request-context.js';

/** Far more than clients and proxies send. It bounds the work for each request. */
const MAX_HEADER_LINES = 256;
/** Request Header Fields Too Large (RFC 6585 section 5). */
const TOO_LARGE = 431;

/** Headers that may occur once. Node silently drops or joins the values of repeated headers (ASVS 15.3.7). */
const SINGLE_HEADERS: ReadonlySet<string> = new Set([
  'host',
  'origin',
  'sec-fetch-site',
  'sec-fetch-mode',
  'sec-fetch-dest',
  'content-type',
  'content-encoding',
  'content-length',
  'transfer-encoding',
  'if-match',
  'idempotency-key',
  'last-event-id',
  'x-request-id',
]);

/** A host name, an IPv4 address or an IPv6 address in brackets, and a port. */
const HOST = /^(?:\[([\da-f:.]+)\]|\w[\w.-]*)(?::(\d{0,5}))?$/i;

/** A request target with a host of its own, which must be the same (RFC 9112 section 3.2.2). */
const ABSOLUTE_TARGET = /^https?:\/\/([^/?#]*)/i;

/**
 * Lets every header line reach {@link requestHeaders}, within Node's limit on their bytes. By default, Node drops all
 * lines beyond the 2,000th, so that junk would hide `X-Forwarded-For` or a second `Authorization`, and responds itself
 * to a request without `Host`.
 */
export function keepAllHeaders(server: Server): void {
  server.maxHeadersCount = 0;
  // The types of Node 20 lack it.
  Object.assign(server, { requireHostHeader: false });
}

/** Rejects too many header lines, repeated headers, and a missing or malformed `Host` (RFC 9112 section 3.2). */
export const requestHeaders: Middleware = (request, _response, next) => {
  const names = request.rawHeaders.filter((_, index) => index % 2 === 0);
  if (names.length > MAX_HEADER_LINES) {
    const message = `The request has more than ${MAX_HEADER_LINES} header lines.`;
    return next(new RequestError('ERR_REQUEST_HEADER', message, [], TOO_LARGE));
  }
  const repeated = firstRepeated(names);
  if (repeated !== undefined) {
    return next(RequestError.of('ERR_REQUEST_HEADER', repeated, 'was sent more than once. Send it once.'));
  }
  if (!isHost(request)) {
    const message = 'must be the name or address of the service, optionally with a port, such as 127.0.0.1:3000.';
    return next(RequestError.of('ERR_REQUEST_HEADER', 'host', message));
  }
  next();
};

function firstRepeated(names: readonly string[]): string | undefined {
  const seen = new Set<string>();
  for (const name of names.map((given) => given.toLowerCase())) {
    if (seen.has(name)) return name;
    if (SINGLE_HEADERS.has(name)) seen.add(name);
  }
  return undefined;
}

function isHost({ headers, httpVersion, url = '' }: IncomingMessage): boolean {
  if (headers.host === undefined) return httpVersion === '1.0';
  const [, target] = ABSOLUTE_TARGET.exec(url) ?? [];
  if (target !== undefined && target.toLowerCase() !== headers.host.toLowerCase()) return false;
  const [given, ipv6 = '::', port = ''] = HOST.exec(headers.host) ?? [];
  return given !== undefined && isIPv6(ipv6) && Number(port) <= 65_535;
}
