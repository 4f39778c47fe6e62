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
const JSON_TYPE = /^application\/json(?:\s*;\s*charset="?utf-8"?)?\s*$/i;

/** Refuses what no route takes, before a body is read: repeated headers, and bodies that are not plain JSON. */
export const requestShape: Middleware = (request, _response, next) => {
  const repeated = SINGLE_HEADERS.find((name) => countOf(request, name) > 1);
  if (repeated !== undefined) return next(RequestError.of('ERR_REQUEST_HEADER', repeated, 'was sent more than once.'));
  if (hasBody(request) && !isPlainJson(request)) {
    const message = 'must be application/json, in UTF-8 and without a Content-Encoding.';
    return next(RequestError.of('ERR_REQUEST_CONTENT_TYPE', 'Content-Type', message));
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
