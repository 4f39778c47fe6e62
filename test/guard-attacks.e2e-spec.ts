import { Controller, Get, Param, UseGuards, VersioningType } from '@nestjs/common';
import { ExternalContextCreator } from '@nestjs/core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import {
  DistributedSessionModule,
  InMemorySessionStorage,
  RequireServicePermission,
  ServiceAuthGuard,
  ServicePermissionGuard,
  SessionGuard,
} from 'nestjs-distributed-session';
import { FakeClock } from 'nestjs-distributed-session/testing';
import { ADAPTERS, PROXIED_ADAPTERS } from './support/adapters.js';
import { basic, bearer, cookie, serviceHeaders } from './support/credential-headers.js';
import { send, sendRaw } from './support/http-request.js';
import { pathTricks } from './support/path-tricks.js';
import { type RunningApp, closeApps, listen, makeApp, startSessionApp } from './support/running-app.js';

const CONTENT = 'guarded-content';
const ATTEMPTS = 10;
const WINDOW_MS = 60_000;
const FAILING = { 'x-forwarded-for': '192.0.2.1' };
const OTHER = { 'x-forwarded-for': '192.0.2.2' };

@Controller('admin')
class AdminController {
  @Get('services')
  @UseGuards(ServiceAuthGuard, ServicePermissionGuard)
  @RequireServicePermission('service.read')
  services() {
    return { CONTENT };
  }

  @Get('session')
  @UseGuards(SessionGuard)
  session() {
    return { CONTENT };
  }

  @Get('files/:path')
  @UseGuards(SessionGuard)
  file(@Param('path') path: string) {
    return { CONTENT, path };
  }
}

describe.each(ADAPTERS)('the guards on %s', (_name, makeAdapter) => {
  let admin: RunningApp;

  beforeAll(async () => {
    const sessions = DistributedSessionModule.forRoot({ serviceId: 'admin', storage: new InMemorySessionStorage() });
    const app = await makeApp({ imports: [sessions], controllers: [AdminController] }, makeAdapter);
    app.enableVersioning({ type: VersioningType.HEADER, header: 'x-version' });
    app.enableCors();
    admin = await listen(app);
  });

  afterAll(closeApps);

  test('accept valid credentials (so the rejections below are meaningful)', async () => {
    const { secret } = await admin.sessions.registerService({
      serviceId: 'console',
      serviceName: 'Console',
      permissions: ['service.read'],
    });
    const { credential } = await admin.sessions.createSession('alice');
    const answers = await Promise.all([
      send(`${admin.url}/admin/services`, serviceHeaders('console', secret)),
      send(`${admin.url}/admin/session`, cookie(credential)),
      send(`${admin.url}/admin/files/a`, bearer(credential)),
    ]);
    expect(answers.map(({ status, text }) => [status, text.includes(CONTENT)])).toEqual(answers.map(() => [200, true]));
  });

  describe.each(['/admin/services', '/admin/session', '/admin/files/a'])('protect the path %s:', (path) => {
    test.each(pathTricks(path, '/public'))('the request GET %s does not bypass the guard', async (target) => {
      expect(await outcomeOf(target, 'GET')).toBe('rejected');
    });

    test.each(['HEAD', 'OPTIONS', 'POST', 'PUT', 'DELETE', 'PATCH', 'QUERY', 'TRACE'])(
      'the method %s does not bypass the guard',
      async (method) => {
        expect(await outcomeOf(path, method)).toBe('rejected');
        expect(await outcomeOf(`${path}/`, method)).toBe('rejected');
      },
    );

    test.each<[string, string]>([
      ['X-HTTP-Method-Override', 'OPTIONS'],
      ['X-Original-URL', '/public'],
      ['X-Rewrite-URL', '/public'],
      ['X-Forwarded-Prefix', '/public'],
      ['X-Version', '0'],
      ['Origin', 'null'],
      ['Authorization', ''],
      ['Cookie', '__Host-session'],
    ])('the header "%s: %s" does not bypass the guard', async (name, value) => {
      expect(await outcomeOf(path, 'GET', [[name, value]])).toBe('rejected');
    });
  });

  /** Returns `rejected`, or a description of the response. */
  async function outcomeOf(target: string, method: string, headers: [string, string][] = []): Promise<string> {
    const { status, text } = await sendRaw(admin.url, target, headers, method);
    if (text.includes(CONTENT)) return `content returned with status ${status}`;
    // CORS answers a preflight before the router does, without content.
    const isPreflight = method === 'OPTIONS' && status === 204 && text === '';
    return status >= 300 || isPreflight ? 'rejected' : `${status} ${text}`;
  }
});

describe.each([
  ['ServiceAuthGuard', ServiceAuthGuard],
  ['ServicePermissionGuard', ServicePermissionGuard],
  ['SessionGuard', SessionGuard],
])('%s on an unsupported transport', (_name, Guard) => {
  class Resolver {
    @UseGuards(Guard)
    @RequireServicePermission('session.read')
    resolve(this: void) {
      return 'guarded';
    }
  }

  afterEach(closeApps);

  test.each(['graphql', 'rpc', 'ws', 'carrier-pigeon'])('rejects a %s handler', async (transport) => {
    const options = { serviceId: 'shop', storage: new InMemorySessionStorage() };
    const { app } = await startSessionApp(ADAPTERS[0]![1], options, { providers: [Resolver] });
    const { resolve } = Resolver.prototype;
    const unused = [undefined, undefined, undefined, undefined] as const;
    const handler = app
      .get(ExternalContextCreator)
      .create(app.get(Resolver), resolve, 'resolve', undefined, ...unused, transport);
    await expect(handler({}, {}, {}, {})).rejects.toMatchObject({
      status: 403,
      code: 'ERR_TRANSPORT_NOT_SUPPORTED',
    });
  });
});

describe.each(PROXIED_ADAPTERS)('ServiceAuthGuard on %s behind a trusted proxy', (_name, makeAdapter) => {
  let clock: FakeClock;
  let admin: RunningApp;
  let secret: string;
  let wrong: string;
  let statuses: number[];

  beforeEach(async () => {
    clock = new FakeClock();
    const storage = new InMemorySessionStorage({ clock });
    admin = await startSessionApp(makeAdapter, { serviceId: 'admin', storage }, { controllers: [AdminController] });
    const register = (serviceId: string) =>
      admin.sessions.registerService({ serviceId, serviceName: serviceId, permissions: ['service.read'] });
    ({ secret } = await register('gateway'));
    ({ secret: wrong } = await register('other'));
    statuses = [];
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) statuses.push((await attemptWith(wrong, FAILING)).status);
  });

  afterEach(closeApps);

  const attemptWith = (given: string, source: Record<string, string>) =>
    send(`${admin.url}/admin/services`, { ...basic('gateway', given), ...source });

  test('responds with 429 and Retry-After to a source that failed too often, whatever the form of the secret', async () => {
    expect(statuses).toEqual(Array.from({ length: ATTEMPTS }, () => 401));
    for (const given of [wrong, 'a chosen secret']) {
      const answer = await attemptWith(given, FAILING);
      expect(answer.status).toBe(429);
      expect(answer.headers.get('retry-after')).toBe('60');
      expect(answer.headers.get('www-authenticate')).toBeNull();
      expect(answer.json).toMatchObject({ statusCode: 429, code: 'ERR_SERVICE_AUTHENTICATION' });
    }
  });

  test('accepts the valid secret from every source, so that a stranger cannot lock a service out', async () => {
    for (const source of [OTHER, FAILING]) expect((await attemptWith(secret, source)).status).toBe(200);
  });

  test('accepts another service from the same source', async () => {
    expect((await send(`${admin.url}/admin/services`, { ...basic('other', wrong), ...FAILING })).status).toBe(200);
  });

  test('accepts the source again after the time in Retry-After', async () => {
    clock.advance(WINDOW_MS - 1);
    const rejected = await attemptWith(wrong, FAILING);
    expect([rejected.status, rejected.headers.get('retry-after')]).toEqual([429, '1']);
    clock.advance(1);
    expect((await attemptWith(wrong, FAILING)).status).toBe(401);
  });
});

describe.each(ADAPTERS)('ServiceAuthGuard on %s without a trusted proxy', (_name, makeAdapter) => {
  afterEach(closeApps);

  test('throttles the sender of a forged X-Forwarded-For header', async () => {
    const storage = new InMemorySessionStorage({ clock: new FakeClock() });
    const admin = await startSessionApp(
      makeAdapter,
      { serviceId: 'admin', storage },
      { controllers: [AdminController] },
    );
    const { secret } = await admin.sessions.registerService({
      serviceId: 'other',
      serviceName: 'Other',
      permissions: [],
    });
    const statuses: number[] = [];
    for (let attempt = 0; attempt <= ATTEMPTS; attempt++) {
      const headers = { ...basic('gateway', secret), 'x-forwarded-for': `192.0.2.${attempt}` };
      statuses.push((await send(`${admin.url}/admin/services`, headers)).status);
    }
    expect(statuses).toEqual([...Array.from({ length: ATTEMPTS }, () => 401), 429]);
  });
});
