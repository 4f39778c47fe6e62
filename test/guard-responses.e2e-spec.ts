import { Readable } from 'node:stream';
import {
  BadRequestException,
  Controller,
  Get,
  Header,
  type MessageEvent,
  Redirect,
  Res,
  Sse,
  StreamableFile,
  UseGuards,
} from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { type Observable, of } from 'rxjs';
import {
  AllowAnonymousService,
  DistributedSessionExceptionFilter,
  DistributedSessionManager,
  type DistributedSessionModuleOptions,
  InMemorySessionStorage,
  OptionalSession,
  RequireServicePermission,
  ServiceAuthGuard,
  ServicePermissionGuard,
  SessionGuard,
  SessionMissingError,
} from 'nestjs-distributed-session';
import { ADAPTERS } from './support/adapters.js';
import { bearer, cookie } from './support/credential-headers.js';
import { send, sendRaw } from './support/http-request.js';
import { type RunningApp, closeApps, startSessionApp } from './support/running-app.js';

/** The methods that Express and Fastify replies share, and Node's response, which Fastify has as `raw`. */
interface Reply {
  header(name: string, value: string): Reply;
  send(body: unknown): unknown;
  readonly raw?: { setHeader(name: string, value: string): void };
}

const PUBLIC = 'public, max-age=60';
const GUARDED = 'private, no-store';

@Controller()
@UseGuards(SessionGuard)
class AnswersController {
  @Get('json')
  json() {
    return { a: 1 };
  }

  @Get('empty')
  empty() {}

  @Get('stream')
  stream() {
    return new StreamableFile(Readable.from(['streamed']));
  }

  @Sse('events')
  events(): Observable<MessageEvent> {
    return of({ data: 'event' });
  }

  @Get('redirect')
  @Redirect('/json')
  redirect() {}

  @Get('error')
  error() {
    throw new BadRequestException();
  }

  @Get('crash')
  crash() {
    throw new TypeError('unexpected');
  }

  @Get('reply')
  reply(@Res() reply: Reply) {
    reply.send('sent');
  }

  @Get('optional')
  @OptionalSession()
  optional() {
    return 'optional';
  }

  @Get('public/decorator')
  @Header('Cache-Control', PUBLIC)
  decorator() {
    return 'public';
  }

  @Get('public/passthrough')
  passthrough(@Res({ passthrough: true }) reply: Reply) {
    reply.header('cache-control', PUBLIC);
    return 'public';
  }

  @Get('public/reply')
  publicReply(@Res() reply: Reply) {
    reply.header('Cache-Control', PUBLIC).send('public');
  }

  @Get('public/raw')
  raw(@Res({ passthrough: true }) reply: Reply & { setHeader(name: string, value: string): void }) {
    (reply.raw ?? reply).setHeader('Cache-Control', PUBLIC);
    return 'public';
  }
}

@Controller('services')
@UseGuards(ServiceAuthGuard, ServicePermissionGuard)
class ServicesController {
  @Get()
  @RequireServicePermission('service.read')
  list() {
    return [];
  }

  @Get('open')
  @AllowAnonymousService()
  open() {
    return 'open';
  }
}

@Controller('unguarded')
class UnguardedController {
  constructor(private readonly sessions: DistributedSessionManager) {}

  @Get()
  show() {
    return 'unguarded';
  }

  @Get('verify')
  verify() {
    return this.sessions.verifyService('unknown', 'an unknown secret');
  }

  @Get('account')
  account() {
    throw new SessionMissingError();
  }
}

/** Passes every request without a service, like a guard of the application that found none. */
class PassingGuard {
  canActivate() {
    return true;
  }
}

@Controller('permission')
@UseGuards(PassingGuard, ServicePermissionGuard)
class PermissionController {
  @Get()
  @RequireServicePermission('session.read')
  show() {
    return 'unreachable';
  }
}

describe.each(ADAPTERS)('The response of a guarded route on %s', (_name, makeAdapter) => {
  let shop: RunningApp;
  let credential: string;

  beforeAll(async () => {
    const options = { serviceId: 'shop', storage: new InMemorySessionStorage() };
    const controllers = [AnswersController, ServicesController, UnguardedController];
    shop = await startSessionApp(makeAdapter, options, { controllers });
    ({ credential } = await shop.sessions.createSession('alice'));
  });

  afterAll(closeApps);

  test.each([
    ['json', 200],
    ['empty', 200],
    ['stream', 200],
    ['redirect', 302],
    ['error', 400],
    ['crash', 500],
    ['reply', 200],
    ['optional', 200],
  ])('is not cached: GET /%s with status %i', async (path, status) => {
    const { headers, status: actual } = await send(`${shop.url}/${path}`, cookie(credential));
    expect([actual, headers.get('cache-control')]).toEqual([status, GUARDED]);
  });

  test('is not cached as a stream of events', async () => {
    const { headers } = await send(`${shop.url}/events`, cookie(credential));
    expect(headers.get('cache-control')).toMatch(/private.*no-store/);
  });

  test('is not cached as a 304', async () => {
    const first = await send(`${shop.url}/json`, cookie(credential));
    const ifNoneMatch = { 'if-none-match': first.headers.get('etag') ?? '"none"' };
    const { headers } = await send(`${shop.url}/json`, { ...cookie(credential), ...ifNoneMatch });
    expect(headers.get('cache-control')).toBe(GUARDED);
  });

  test.each(['decorator', 'passthrough', 'reply', 'raw'])('is cached if the handler says so: %s', async (how) => {
    const { headers } = await send(`${shop.url}/public/${how}`, cookie(credential));
    expect(headers.get('cache-control')).toBe(PUBLIC);
  });

  test('is not cached if a guard rejects the request, nor behind the service guards', async () => {
    const outsider = { serviceId: 'outsider', serviceName: 'Outsider', permissions: [] };
    const { secret } = await shop.sessions.registerService(outsider);
    const answers = await Promise.all([
      send(`${shop.url}/json`),
      send(`${shop.url}/public/decorator`, cookie('malformed')),
      send(`${shop.url}/services`),
      send(`${shop.url}/services`, bearer(secret)),
      send(`${shop.url}/services/open`),
      sendRaw(shop.url, '/json', [['Host', 'other']]),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([401, 401, 401, 403, 200, 400]);
    expect(answers.map(({ headers }) => headers.get('cache-control'))).toEqual(answers.map(() => GUARDED));
  });

  test('is left alone without a guard', async () => {
    expect((await send(`${shop.url}/unguarded`)).headers.get('cache-control')).toBeNull();
  });

  test('distinguishes a request without a session credential from one with a malformed or unknown one', async () => {
    const codeOf = async (headers: Record<string, string>) =>
      ((await send(`${shop.url}/json`, headers)).json as { code: string }).code;
    const { sessionId } = await shop.sessions.createSession('bob');
    await shop.sessions.deleteSession(sessionId);
    expect(await codeOf({})).toBe('ERR_SESSION_MISSING');
    expect(await codeOf({ cookie: 'other=1' })).toBe('ERR_SESSION_MISSING');
    expect(await codeOf(bearer('dss_secret'))).toBe('ERR_SESSION_MISSING');
    expect(await codeOf(cookie('malformed'))).toBe('ERR_SESSION_INPUT');
    expect(await codeOf(cookie(`${'0'.repeat(8)}-0000-4000-8000-${'0'.repeat(12)}.token`))).toBe(
      'ERR_SESSION_NOT_FOUND',
    );
  });
});

describe.each(ADAPTERS)('The challenge of a 401 on %s', (_name, makeAdapter) => {
  afterEach(closeApps);

  async function start(options: Partial<DistributedSessionModuleOptions>) {
    const storage = new InMemorySessionStorage();
    const controllers = [AnswersController, ServicesController, UnguardedController, PermissionController];
    const providers = [{ provide: APP_FILTER, useClass: DistributedSessionExceptionFilter }];
    const metadata = { controllers, providers };
    const { url } = await startSessionApp(makeAdapter, { serviceId: 'shop', storage, ...options }, metadata);
    return async (path: string, headers = {}) => {
      const answer = await send(url + path, headers);
      return answer.status === 401 ? answer.headers.get('www-authenticate') : answer.status;
    };
  }

  test.each<[DistributedSessionModuleOptions['sessionCarriers'], string, string]>([
    [['cookie', 'bearer', 'headers'], 'Bearer realm="session"', ', error="invalid_token"'],
    [['cookie', 'bearer'], 'Bearer realm="session"', ', error="invalid_token"'],
    [['headers'], 'Bearer realm="session"', ', error="invalid_token"'],
    [['cookie'], 'Cookie realm="session"', ''],
  ])('names only the configured session carriers: %j', async (sessionCarriers, challenge, error) => {
    const challengeOf = await start({ sessionCarriers });
    expect(await challengeOf('/json')).toBe(challenge);
    const malformed = { ...cookie('malformed'), ...bearer('malformed'), 'x-session-id': 'malformed' };
    expect(await challengeOf('/json', malformed)).toBe(challenge + error);
    expect(await challengeOf('/unguarded/account')).toBe(challenge);
  });

  test.each<[DistributedSessionModuleOptions['serviceCarriers'], string]>([
    [['basic', 'bearer', 'headers'], 'Basic realm="services", charset="UTF-8"'],
    [['basic'], 'Basic realm="services", charset="UTF-8"'],
    [['bearer', 'headers'], 'Bearer realm="services"'],
    [['headers'], 'Service realm="services"'],
  ])('names only the configured service carriers: %j', async (serviceCarriers, challenge) => {
    const challengeOf = await start({ serviceCarriers });
    expect(await challengeOf('/services')).toBe(challenge);
    expect(await challengeOf('/permission')).toBe(challenge);
    expect(await challengeOf('/unguarded/verify')).toBe(challenge);
  });
});
