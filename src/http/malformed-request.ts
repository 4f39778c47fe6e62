import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { HttpException } from '@nestjs/common';
import { PROBLEM_TYPE, problemOf } from './problem.js';

/** The statuses of the faults that the parser of Node finds, by its codes. Any other one is a 400. */
const STATUS: Readonly<Partial<Record<string, number>>> = {
  ERR_HTTP_REQUEST_TIMEOUT: 408,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  HPE_HEADER_OVERFLOW: 431,
};

const MESSAGES: Readonly<Partial<Record<number, string>>> = {
  400: 'What was sent is no HTTP request that can be read.',
  408: 'The request did not arrive in time.',
  431: 'The request line and the headers are longer than this service takes.',
};

/**
 * Answers what the parser of Node refuses, and ends the connection. Such a request meets no middleware, no filter and no
 * log. For `clientError` of an HTTP server.
 */
export function answerMalformed({ code }: NodeJS.ErrnoException, socket: Socket): void {
  // What Node itself looks at, before it would answer.
  const { _httpMessage: answer } = socket as { readonly _httpMessage?: { readonly headersSent: boolean } };
  // Whatever came in the midst of an answer would be taken for a part of it.
  if (socket.writable && !answer?.headersSent && code !== 'ECONNRESET') socket.write(answerTo(code ?? ''));
  socket.destroySoon();
}

function answerTo(fault: string): string {
  const status = STATUS[fault] ?? 400;
  const code = status === 413 ? 'ERR_REQUEST_TOO_LARGE' : 'ERR_REQUEST_HEADER';
  const message = MESSAGES[status] ?? 'The request body is larger than this service takes.';
  const body = JSON.stringify(problemOf(new HttpException({ code, message }, status)));
  const headers = [
    `Content-Type: ${PROBLEM_TYPE}; charset=utf-8`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Cache-Control: no-store',
    'Connection: close',
  ];
  return `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${headers.join('\r\n')}\r\n\r\n${body}`;
}
