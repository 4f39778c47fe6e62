import { BadRequestException, HttpException, type INestApplication, type NestApplicationOptions } from '@nestjs/common';
import type { AbstractHttpAdapter } from '@nestjs/core';
import { ExpressAdapter, type NestExpressApplication } from '@nestjs/platform-express';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import express from 'express';
import type { FastifyReply, FastifyServerOptions } from 'fastify';
import type { Environment } from '../config/environment.js';
import { PROBLEM_TYPE, problemOf } from './problem.js';
import { toRequestError } from './to-request-error.js';

/** Longer than any login id or attribute key, each character percent-encoded. */
const MAX_PARAMETER_LENGTH = 8_192;

/** The parsers are ours: both adapters read the same JSON, up to the same size. */
export const APPLICATION_OPTIONS: NestApplicationOptions = { bodyParser: false, bufferLogs: true, abortOnError: false };

/**
 * The HTTP server that the environment chooses. Both match paths strictly: with a lenient `/v1/sessions/<id>/`, a client
 * that removes the attribute `..` and lets its URL be normalised would end the session.
 */
export function createHttpAdapter({ HTTP_ADAPTER, TRUST_PROXY, BODY_LIMIT_BYTES }: Environment): AbstractHttpAdapter {
  const trusted = trustedProxies(TRUST_PROXY);
  if (HTTP_ADAPTER === 'fastify') {
    return new FastifyAdapter({
      trustProxy: trusted,
      bodyLimit: BODY_LIMIT_BYTES,
      routerOptions: { maxParamLength: MAX_PARAMETER_LENGTH },
      frameworkErrors: answerUnroutable,
    });
  }
  const instance = express();
  instance.enable('strict routing');
  instance.enable('case sensitive routing');
  instance.disable('x-powered-by');
  instance.disable('etag');
  instance.set('trust proxy', trusted);
  return new ExpressAdapter(instance);
}

/** Lets the server read JSON bodies and nothing else. */
export function readJsonBodies(app: INestApplication, { HTTP_ADAPTER, BODY_LIMIT_BYTES }: Environment): void {
  if (HTTP_ADAPTER === 'express') {
    (app as NestExpressApplication).useBodyParser('json', { limit: BODY_LIMIT_BYTES, inflate: false });
    return;
  }
  const options = { bodyLimit: BODY_LIMIT_BYTES };
  (app as NestFastifyApplication).useBodyParser('application/json', options, (_request, body, done) => {
    try {
      // Fastify's own parser refuses `__proto__`, which is an attribute key like any other.
      done(null, body.length === 0 ? undefined : parseObject(body.toString('utf8')));
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

/** As Express parses, which takes objects and arrays alone. */
function parseObject(text: string): unknown {
  const parsed: unknown = JSON.parse(text);
  if (typeof parsed === 'object' && parsed !== null) return parsed;
  throw new SyntaxError('An object is expected.');
}

/** Answers a path that Fastify cannot decode: such a request meets no middleware and no filter. */
const answerUnroutable: FastifyServerOptions['frameworkErrors'] = ({ code, statusCode = 400 }, _request, reply) => {
  const refusal = toRequestError(new HttpException('', statusCode, { cause: { code } }));
  // Typed by the routes, of which there is none here.
  const answer = reply as unknown as FastifyReply;
  void answer
    .code(refusal.getStatus())
    .type(PROBLEM_TYPE)
    .send(JSON.stringify(problemOf(refusal)));
};
