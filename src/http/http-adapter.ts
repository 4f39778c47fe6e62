import { isUtf8 } from 'node:buffer';
import { maxHeaderSize } from 'node:http';
import type { AddressInfo } from 'node:net';
import { BadRequestException, HttpException, type INestApplication, type NestApplicationOptions } from '@nestjs/common';
import type { AbstractHttpAdapter } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyServerOptions } from 'fastify';
import type { Environment } from '../config/environment.js';
import { assertExactJson } from './exact-json.js';
import { PROBLEM_TYPE, problemOf, toRequestError } from './problem.js';
import { requestIdOf } from './request-context.js';

/** Disables Nest's body parsers: {@link readJsonBodies} makes both adapters read the same JSON with the same limit. */
export const APPLICATION_OPTIONS: NestApplicationOptions = { bodyParser: false, bufferLogs: true, abortOnError: false };

/**
 * Creates the configured HTTP server. Both kinds match paths strictly: if `/v1/sessions/<id>/` matched, a client that
 * removes the attribute `..` and normalises its URL would end the session. Only the configured kind is loaded, because
 * loading both slows the start.
 */
export function createHttpAdapter(environment: Environment): Promise<AbstractHttpAdapter> {
  return environment.HTTP_ADAPTER === 'fastify' ? createFastify(environment) : createExpress(environment);
}

async function createFastify({ TRUST_PROXY, BODY_LIMIT_BYTES }: Environment): Promise<AbstractHttpAdapter> {
  const { FastifyAdapter } = await import('@nestjs/platform-fastify');
  return new FastifyAdapter({
    trustProxy: trustedProxies(TRUST_PROXY),
    bodyLimit: BODY_LIMIT_BYTES,
    // The routes limit the length of parameters themselves.
    routerOptions: { maxParamLength: maxHeaderSize },
    frameworkErrors: respondToUnroutable,
  });
}

async function createExpress({ TRUST_PROXY }: Environment): Promise<AbstractHttpAdapter> {
  const [{ ExpressAdapter }, { default: express }] = await Promise.all([
    import('@nestjs/platform-express'),
    import('express'),
  ]);
  const instance = express();
  instance.enable('strict routing');
  instance.enable('case sensitive routing');
  instance.disable('x-powered-by');
  instance.disable('etag');
  instance.set('trust proxy', trustedProxies(TRUST_PROXY));
  return new ExpressAdapter(instance);
}

/** Lets the server read JSON bodies only. */
export function readJsonBodies(app: INestApplication, { HTTP_ADAPTER, BODY_LIMIT_BYTES }: Environment): void {
  if (HTTP_ADAPTER === 'express') {
    const options = { limit: BODY_LIMIT_BYTES, inflate: false, verify: assertJsonText };
    (app as NestExpressApplication).useBodyParser('json', options);
    return;
  }
  const options = { bodyLimit: BODY_LIMIT_BYTES };
  (app as NestFastifyApplication).useBodyParser('application/json', options, (_request, body, done) => {
    try {
      assertJsonText(undefined, undefined, body);
      // Fastify's own parser rejects `__proto__`, which is a valid attribute key.
      done(null, body.length === 0 ? undefined : parseObject(new TextDecoder().decode(body)));
    } catch (cause) {
      done(new BadRequestException(undefined, { cause }));
    }
  });
}

/** Converts a number of proxies into a function, which both servers call with each hop's distance. */
function trustedProxies(given: string | undefined): string | false | ((address: string, hop: number) => boolean) {
  if (given === undefined) return false;
  return /^\d+$/.test(given) ? (_address, hop) => hop < Number(given) : given;
}

/** JSON is UTF-8 (RFC 8259 section 8.1). Decoding replaces every invalid byte, so different names would become equal. */
function assertJsonText(_request: unknown, _response: unknown, body: Buffer): void {
  if (!isUtf8(body)) throw new BadRequestException();
  assertExactJson(new TextDecoder().decode(body));
}

/** Accepts objects and arrays only, as the parser of Express does. */
function parseObject(text: string): unknown {
  const parsed: unknown = JSON.parse(text);
  if (typeof parsed === 'object' && parsed !== null) return parsed;
  throw new SyntaxError('Expected a JSON object.');
}

/** Responds to a path that Fastify cannot decode. Such a request reaches no middleware and no filter. */
const respondToUnroutable: FastifyServerOptions['frameworkErrors'] = ({ code, statusCode = 400 }, request, reply) => {
  const error = toRequestError(new HttpException('', statusCode, { cause: { code } }));
  const requestId = requestIdOf(request.raw);
  // The type depends on a route, and here there is none.
  const response = reply as unknown as FastifyReply;
  void response
    .code(error.getStatus())
    .headers({ 'X-Request-Id': requestId, 'Cache-Control': 'no-store' })
    .type(PROBLEM_TYPE)
    .send(JSON.stringify(problemOf(error, requestId)));
};

/** Returns the URL at which this machine reaches a listening application. */
export function urlOf(app: INestApplication): string {
  const { address, port, family } = (app.getHttpServer() as { address(): AddressInfo }).address();
  if (address === '0.0.0.0' || address === '::') return `http://localhost:${port}`;
  return family === 'IPv6' ? `http://[${address}]:${port}` : `http://${address}:${port}`;
}
