import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { HttpException } from '@nestjs/common';
import { PROBLEM_TYPE, problemOf } from './problem.js';

/** The statuses by error code of Node's HTTP parser. Any other code is a 400. */
const STATUS: Readonly<Partial<Record<string, number>>> = {
  ERR_HTTP_REQUEST_TIMEOUT: 408,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  HPE_HEADER_OVERFLOW: 431,
};

const MESSAGES: Readonly<Partial<Record<number, string>>> = {
  400: 'The request is not valid HTTP.',
  408: 'The request did not arrive in time.',
  431: 'The request line and headers exceed the limit.',
};

/**
 * Responds to a request that Node's HTTP parser rejects, and closes the connection. Such a request reaches no
 * middleware, no filter and no log. A listener for an HTTP server's `clientError`.
 */
export function respondToMalformed({ code }: NodeJS.ErrnoException, socket: Socket): void {
  // Node's own handler checks the same field before it responds.
  const { _httpMessage: response } = socket as { readonly _httpMessage?: { readonly headersSent: boolean } };
  // A second response in the middle of the first would be read as a part of it.
  if (socket.writable && !response?.headersSent && code !== 'ECONNRESET') socket.write(responseTo(code ?? ''));
  socket.destroySoon();
}

function responseTo(parserCode: string): string {
  const status = STATUS[parserCode] ?? 400;
  const code = status === 413 ? 'ERR_REQUEST_TOO_LARGE' : 'ERR_REQUEST_HEADER';
  const message = MESSAGES[status] ?? 'The request body exceeds the limit.';
  const body = JSON.stringify(problemOf(new HttpException({ code, message }, status)));
  const headers = [
    `Content-Type: ${PROBLEM_TYPE}; charset=utf-8`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Cache-Control: no-store',
    'Connection: close',
  ];
  return `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${headers.join('\r\n')}\r\n\r\n${body}`;
}
