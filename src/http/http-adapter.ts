import { isUtf8 } from 'node:buffer';
import { maxHeaderSize } from 'node:http';
import { BadRequestException, HttpException, type INestApplication, type NestApplicationOptions } from '@nestjs/common';
import type { AbstractHttpAdapter } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyServerOptions } from 'fastify';
import type { Environment } from '../config/environment.js';
import { PROBLEM_TYPE, problemOf } from './problem.js';
import { requestIdOf } from './request-context.middleware.js';
import { toRequestError } from './to-request-error.js';

/** The parsers are ours: both adapters read the same JSON, up to the same size. */
export const APPLICATION_OPTIONS: NestApplicationOptions = { bodyParser: false, bufferLogs: true, abortOnError: false };

/**
 * The HTTP server that the environment chooses. Both match paths strictly: with a lenient `/v1/sessions/<id>/`, a client
 * that removes the attribute `..` and lets its URL be normalised would end the session. Only the chosen one is loaded,
 * for a quick start.
 */
export function createHttpAdapter(environment: Environment): Promise<AbstractHttpAdapter> {
  return environment.HTTP_ADAPTER === 'fastify' ? createFastify(environment) : createExpress(environment);
}

async function createFastify({ TRUST_PROXY, BODY_LIMIT_BYTES }: Environment): Promise<AbstractHttpAdapter> {
  const { FastifyAdapter } = await import('@nestjs/platform-fastify');
  return new FastifyAdapter({
    trustProxy: trustedProxies(TRUST_PROXY),
    bodyLimit: BODY_LIMIT_BYTES,
    // As long as a request may be at all: how long a name may be is for the route to say.
    routerOptions: { maxParamLength: maxHeaderSize },
    frameworkErrors: answerUnroutable,
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

/** Lets the server read JSON bodies and nothing else. */
export function readJsonBodies(app: INestApplication, { HTTP_ADAPTER, BODY_LIMIT_BYTES }: Environment): void {
  if (HTTP_ADAPTER === 'express') {
    const options = { limit: BODY_LIMIT_BYTES, inflate: false, verify: assertUtf8 };
    (app as NestExpressApplication).useBodyParser('json', options);
    return;
  }
  const options = { bodyLimit: BODY_LIMIT_BYTES };
  (app as NestFastifyApplication).useBodyParser('application/json', options, (_request, body, done) => {
    try {
      assertUtf8(undefined, undefined, body);
      // Fastify's own parser refuses `__proto__`, which is an attribute key like any other.
      done(null, body.length === 0 ? undefined : parseObject(new TextDecoder().decode(body)));
    } catch (cause) {
      done(new BadRequestException(undefined, { cause }));
    }
  });
}

/** A number of proxies counts hops from this server on; both servers ask such a function for each. */
function trustedProxies(given: string | undefined): string | false | ((address: string, hop: number) => boolean) {
  if (given === undefined) return false;
  return /^\d+$/.test(given) ? (_address, hop) => hop < Number(given) : given;
}

/** JSON is UTF-8 (RFC 8259 section 8.1). Ill-formed bytes would all become the same character, and names that differ one. */
function assertUtf8(_request: unknown, _response: unknown, body: Buffer): void {
  if (!isUtf8(body)) throw new BadRequestException();
}

/** As Express parses, which takes objects and arrays alone. */
function parseObject(text: string): unknown {
  const parsed: unknown = JSON.parse(text);
  if (typeof parsed === 'object' && parsed !== null) return parsed;
  throw new SyntaxError('An object is expected.');
}

/** Answers a path that Fastify cannot decode: such a request meets no middleware and no filter. */
const answerUnroutable: FastifyServerOptions['frameworkErrors'] = ({ code, statusCode = 400 }, request, reply) => {
  const refusal = toRequestError(new HttpException('', statusCode, { cause: { code } }));
  const requestId = requestIdOf(request.raw);
  // Typed by the routes, of which there is none here.
  const answer = reply as unknown as FastifyReply;
  void answer
    .code(refusal.getStatus())
    .headers({ 'X-Request-Id': requestId, 'Cache-Control': 'no-store' })
    .type(PROBLEM_TYPE)
    .send(JSON.stringify(problemOf(refusal, requestId)));
};
