import type { IncomingMessage } from 'node:http';
import type { Middleware } from './request-context.js';
import { RequestError } from './request.error.js';

/** Headers that say one thing. Of a second one Node would drop or join the value without a word (ASVS 15.3.7). */
const SINGLE_HEADERS = [
  'content-type',
  'content-encoding',
  'if-match',
  'idempotency-key',
  'last-event-id',
  'x-request-id',
];
const BODILESS: readonly unknown[] = ['GET', 'HEAD'];
const JSON_TYPE = /^application\/json(?:\s*;\s*charset="?utf-8"?)?\s*$/i;

/**
 * Refuses what no route takes, before a body is read: repeated headers, bodies that are not plain JSON or that stand
 * where none may, and a query that cannot be decoded.
 */
export const requestShape: Middleware = (request, _response, next) => {
  const repeated = SINGLE_HEADERS.find((name) => countOf(request, name) > 1);
  if (repeated !== undefined) return next(RequestError.of('ERR_REQUEST_HEADER', repeated, 'was sent more than once.'));
  if (hasBody(request) && !isPlainJson(request)) {
    const message = 'must be application/json, in UTF-8 and without a Content-Encoding.';
    return next(RequestError.of('ERR_REQUEST_CONTENT_TYPE', 'Content-Type', message));
  }
  // Fastify would leave it unread, and so without effect.
  if (hasBody(request) && BODILESS.includes(request.method)) {
    return next(RequestError.of('ERR_REQUEST_INPUT', 'body', 'is not taken by this route; leave it out.'));
  }
  if (!isDecodable(request)) {
    return next(RequestError.of('ERR_REQUEST_INPUT', 'query', 'is not well percent-encoded UTF-8.'));
  }
  // Express would answer 304 by itself. A version names the attributes of a session, not its times.
  delete request.headers['if-none-match'];
  delete request.headers['if-modified-since'];
  next();
};

function countOf({ rawHeaders }: IncomingMessage, name: string): number {
  return rawHeaders.filter((header, index) => index % 2 === 0 && header.toLowerCase() === name).length;
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

function isPlainJson({ headers }: IncomingMessage): boolean {
  const encoding = headers['content-encoding'] ?? 'identity';
  return encoding.toLowerCase() === 'identity' && JSON_TYPE.test(headers['content-type'] ?? '');
}

/** The parsers of both servers would make something else of what is ill-formed, and go on with that. */
function isDecodable({ url = '' }: IncomingMessage): boolean {
  const [, query = ''] = url.split(/\?(.*)/s);
  try {
    decodeURIComponent(query);
    return true;
  } catch {
    return false;
  }
}
