import { STATUS_CODES, type IncomingMessage } from 'node:http';
import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException, Logger } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { DistributedSessionError, retryAfterSeconds, toHttpException } from 'nestjs-distributed-session';
import { PROBLEM_TYPE, type Problem, RequestError, problemOf, toRequestError } from './problem.js';
import { contextOf, rawRequest } from './request-context.js';
import { RouteMethods } from './route-methods.js';

type HttpRequest = IncomingMessage | { readonly raw: IncomingMessage };

/** Responds to every error with `application/problem+json` (RFC 9457). An unexpected error is a 500 without details. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  readonly #logger = new Logger(ProblemFilter.name);

  constructor(
    private readonly host: HttpAdapterHost,
    private readonly routes: RouteMethods,
  ) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<HttpRequest>();
    const response = http.getResponse<object>();
    const problem = this.#problemOf(error, request);
    const context = contextOf(request);
    if (context) context.code = problem.code;
    const { httpAdapter } = this.host;
    if (httpAdapter.isHeadersSent(response)) return void httpAdapter.end(response);
    const retryAfter = retryAfterOf(error);
    if (problem.code === 'ERR_METHOD_NOT_ALLOWED')
      httpAdapter.setHeader(response, 'Allow', this.#allowed(request).join(', '));
    if (retryAfter !== undefined) httpAdapter.setHeader(response, 'Retry-After', String(retryAfter));
    httpAdapter.setHeader(response, 'Content-Type', PROBLEM_TYPE);
    httpAdapter.setHeader(response, 'Cache-Control', 'no-store');
    httpAdapter.reply(response, JSON.stringify(problem), problem.status);
  }

  /** Turns a 404 into a 405 if the path exists with other methods (RFC 9110 section 15.5.6). */
  #withoutRoute(exception: HttpException, request: HttpRequest): HttpException {
    if (!(exception instanceof RequestError) || exception.code !== 'ERR_ROUTE_NOT_FOUND') return exception;
    const allowed = this.#allowed(request);
    // A route that exists may respond with 404 itself.
    if (allowed.length === 0 || allowed.includes(rawRequest(request).method ?? '')) return exception;
    return new RequestError('ERR_METHOD_NOT_ALLOWED', `This route supports only ${allowed.join(', ')}.`);
  }

  #allowed(request: HttpRequest): readonly string[] {
    return this.routes.of(rawRequest(request).url ?? '');
  }

  #problemOf(error: unknown, request: HttpRequest): Problem {
    const requestId = contextOf(request)?.requestId;
    if (error instanceof DistributedSessionError) return problemOf(toHttpException(error), requestId);
    const known = error instanceof HttpException ? this.#withoutRoute(toRequestError(error), request) : undefined;
    if (known && known.getStatus() < 500) return problemOf(known, requestId);
    if (known && 'code' in Object(known.getResponse())) return problemOf(known, requestId);
    this.#logger.error(
      `Request ${requestId ?? ''} failed with an unexpected error.`,
      error instanceof Error ? framesOf(error) : undefined,
    );
    const body = { code: 'ERR_INTERNAL', message: `${STATUS_CODES[500]}. See the log for this request id.` };
    return problemOf(new HttpException(body, 500), requestId);
  }
}

/** Returns an error's name, code and stack frames. Its message and other fields may quote values to be stored. */
function framesOf({ name, message, stack = '', code = '' }: NodeJS.ErrnoException): string {
  const frames = stack.split('\n').filter((line) => /^ {4}at .+:\d+:\d+\)?$/.test(line) && !message.includes(line));
  return [/^[A-Z0-9_]+$/.test(code) ? `${name} ${code}` : name, ...frames].join('\n');
}

/** Returns `Retry-After` in seconds. For errors that guards convert, the guards set the header. */
function retryAfterOf(error: unknown): number | undefined {
  if (error instanceof DistributedSessionError) return retryAfterSeconds(error);
  return error instanceof HttpException && error.getStatus() === 503 ? 1 : undefined;
}
