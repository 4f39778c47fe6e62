import type { IncomingMessage } from 'node:http';
import { RequestError } from './problem.js';
import type { Middleware } from './request-context.js';

const BODILESS: readonly unknown[] = ['GET', 'HEAD'];
const JSON_TYPE = /^application\/json(?:\s*;\s*charset="?utf-8"?)?\s*$/i;

/**
 * Rejects what no route accepts, before the body is read: bodies that are not plain JSON, bodies of GET and HEAD
 * requests, and queries that cannot be decoded.
 */
export const requestShape: Middleware = (request, _response, next) => {
  if ((hasBody(request) || isForm(request)) && !isPlainJson(request)) {
    const message = 'must be application/json in UTF-8, without Content-Encoding.';
    return next(RequestError.of('ERR_REQUEST_CONTENT_TYPE', 'Content-Type', message));
  }
  // Fastify would silently ignore it.
  if (hasBody(request) && BODILESS.includes(request.method)) {
    return next(RequestError.of('ERR_REQUEST_INPUT', 'body', 'is not supported by this route. Remove it.'));
  }
  if (!isDecodable(request)) {
    return next(RequestError.of('ERR_REQUEST_INPUT', 'query', 'is not valid percent-encoded UTF-8.'));
  }
  // Without a body, it describes nothing. Fastify would look for a parser.
  if (!hasBody(request) && !isForm(request)) delete request.headers['content-type'];
  // Express would respond with 304 by itself, but a session's version does not cover its times.
  delete request.headers['if-none-match'];
  delete request.headers['if-modified-since'];
  next();
};

/** A form without fields is a POST with a content type and no body, and a browser sends it from any site. */
function isForm({ method, headers }: IncomingMessage): boolean {
  return method === 'POST' && headers['content-type'] !== undefined;
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

function isPlainJson({ headers }: IncomingMessage): boolean {
  const encoding = headers['content-encoding'] ?? 'identity';
  return encoding.toLowerCase() === 'identity' && JSON_TYPE.test(headers['content-type'] ?? '');
}

/** The parsers of both servers replace invalid sequences instead of rejecting them. */
function isDecodable({ url = '' }: IncomingMessage): boolean {
  const [, query = ''] = url.split(/\?(.*)/s);
  try {
    decodeURIComponent(query);
    return true;
  } catch {
    return false;
  }
}
