import { type CanActivate, Controller, Get, type INestApplication, type Type, UseGuards } from '@nestjs/common';
import { APP_GUARD, Reflector } from '@nestjs/core';
import { afterEach, describe, expect, test } from '@jest/globals';
import {
  AllowAnonymousService,
  CurrentService,
  CurrentSession,
  DistributedSessionManager,
  DistributedSessionModule,
  InMemorySessionStorage,
  OptionalSession,
  RESOLVED_OPTIONS,
  ServiceAuthGuard,
  type ServiceCredential,
  type Session,
  SessionAttribute,
  SessionGuard,
  guardedRequestOf,
} from 'nestjs-distributed-session';
import { ADAPTERS } from './support/adapters.js';
import { type RequestHeaders, cookie, serviceHeaders } from './support/credential-headers.js';
import { send } from './support/http-request.js';
import { closeApps, listen, makeApp } from './support/running-app.js';

const ATTRIBUTES = { 'cart.items': ['tea'], salary: 100 };

/** Returns a class that reads the session in every way, with these guards on each method. */
function readingBehind(...guards: Type<CanActivate>[]) {
  class Reading {
    @Get()
    @UseGuards(...guards)
    required(
      @CurrentSession() { loginId, attributes }: Session,
      @SessionAttribute('salary') salary?: number,
      @SessionAttribute('cart.items') items?: string[],
    ) {
      return { loginId, attributes, salary: salary ?? 'hidden', items: items ?? 'hidden' };
    }

    @Get('optional')
    @UseGuards(...guards)
    @OptionalSession()
    optional(@CurrentSession() session?: Session) {
      return { loginId: session?.loginId ?? 'anonymous', attributes: session?.attributes };
    }

    @Get('anonymous')
    @UseGuards(...guards)
    @AllowAnonymousService()
    anonymous(@CurrentService() service: ServiceCredential | undefined, @CurrentSession() session: Session) {
      return { service: service?.serviceId ?? 'anonymous', attributes: session.attributes };
    }
  }
  return Reading;
}

@Controller()
class Unguarded extends readingBehind() {}

@Controller()
@UseGuards(ServiceAuthGuard)
class ServiceOnClass extends readingBehind() {}

@Controller()
@UseGuards(SessionGuard)
class SessionOnClass extends readingBehind() {}

@Controller()
@UseGuards(ServiceAuthGuard, SessionGuard)
class ServiceFirst extends readingBehind() {}

@Controller()
@UseGuards(SessionGuard, ServiceAuthGuard)
class SessionFirst extends readingBehind() {}

@Controller()
@UseGuards(SessionGuard)
@UseGuards(ServiceAuthGuard)
class StackedSessionAbove extends readingBehind() {}

@Controller()
@UseGuards(ServiceAuthGuard)
@UseGuards(SessionGuard)
class StackedServiceAbove extends readingBehind() {}

@Controller()
@UseGuards(SessionGuard, ServiceAuthGuard, SessionGuard)
class SessionTwice extends readingBehind() {}

@Controller()
@UseGuards(SessionGuard)
class SessionOnClassServiceOnMethod extends readingBehind(ServiceAuthGuard) {}

@Controller()
@UseGuards(ServiceAuthGuard)
class ServiceOnClassSessionOnMethod extends readingBehind(SessionGuard) {}

@Controller()
class SessionFirstOnMethod extends readingBehind(SessionGuard, ServiceAuthGuard) {}

interface Order {
  readonly controller: Type;
  /** The guards set with `APP_GUARD`, in this order. */
  readonly appGuards?: readonly Type<CanActivate>[];
  readonly globalGuards?: (app: INestApplication) => CanActivate[];
}

const newGuard = (app: INestApplication, Guard: typeof SessionGuard | typeof ServiceAuthGuard) =>
  new Guard(app.get(DistributedSessionManager), app.get(Reflector), app.get(RESOLVED_OPTIONS));

const ORDERS: Record<string, Order> = {
  'both on the class, the service first': { controller: ServiceFirst },
  'both on the class, the session first': { controller: SessionFirst },
  'two @UseGuards() on the class, the session above': { controller: StackedSessionAbove },
  'two @UseGuards() on the class, the service above': { controller: StackedServiceAbove },
  'the session before and after the service': { controller: SessionTwice },
  'the session as APP_GUARD, the service on the class': { controller: ServiceOnClass, appGuards: [SessionGuard] },
  'the service as APP_GUARD, the session on the class': { controller: SessionOnClass, appGuards: [ServiceAuthGuard] },
  'both as APP_GUARD, the service first': { controller: Unguarded, appGuards: [ServiceAuthGuard, SessionGuard] },
  'both as APP_GUARD, the session first': { controller: Unguarded, appGuards: [SessionGuard, ServiceAuthGuard] },
  'the session global, the service on the class': {
    controller: ServiceOnClass,
    globalGuards: (app) => [newGuard(app, SessionGuard)],
  },
  'both global, the session first': {
    controller: Unguarded,
    globalGuards: (app) => [newGuard(app, SessionGuard), newGuard(app, ServiceAuthGuard)],
  },
  'both on the method, the session first': { controller: SessionFirstOnMethod },
  'the session on the class, the service on the method': { controller: SessionOnClassServiceOnMethod },
  'the service on the class, the session on the method': { controller: ServiceOnClassSessionOnMethod },
};

describe.each(ADAPTERS)('A service on %s', (_name, makeAdapter) => {
  afterEach(closeApps);

  async function start({ controller, appGuards = [], globalGuards }: Order) {
    const options = { serviceId: 'shop', storage: new InMemorySessionStorage() };
    const providers = appGuards.map((useClass) => ({ provide: APP_GUARD, useClass }));
    const imports = [DistributedSessionModule.forRoot(options)];
    const app = await makeApp({ imports, controllers: [controller], providers }, makeAdapter);
    if (globalGuards) app.useGlobalGuards(...globalGuards(app));
    const { url, sessions } = await listen(app);
    const alice = await sessions.createSession('alice', undefined, { attributes: ATTRIBUTES });
    const call = async (path: string, service: RequestHeaders, credential: string | undefined) =>
      send(url + path, { ...service, ...(credential === undefined ? {} : cookie(credential)) });
    const withPermissions = async (...permissions: string[]) => {
      const serviceId = `service-${permissions.length}-${(await sessions.listServices()).length}`;
      const { secret } = await sessions.registerService({ serviceId, serviceName: serviceId, permissions });
      return serviceHeaders(serviceId, secret);
    };
    return { alice, sessions, call, withPermissions };
  }

  describe.each(Object.entries(ORDERS))('with the guards %s', (_order, order) => {
    test('sees only the attributes that it may read', async () => {
      const { alice, call, withPermissions } = await start(order);
      const reader = await withPermissions('session.read:cart.*');
      const { 'cart.items': items } = ATTRIBUTES;
      const seen = { loginId: 'alice', attributes: { 'cart.items': items } };
      const path = await call('/', reader, alice.credential);
      expect(path.json).toEqual({ ...seen, salary: 'hidden', items });
      expect((await call('/optional', reader, alice.credential)).json).toEqual(seen);
      expect((await call('/anonymous', reader, alice.credential)).json).toMatchObject({ attributes: seen.attributes });
      const all = await withPermissions('session.read');
      expect((await call('/', all, alice.credential)).json).toMatchObject({ attributes: ATTRIBUTES, salary: 100 });
    });

    test('gets 403 without session.read, and no session', async () => {
      const { alice, sessions, call, withPermissions } = await start(order);
      const writer = await withPermissions('session.write', 'order.read');
      const { credential, sessionId } = await sessions.createSession('bob');
      await sessions.deleteSession(sessionId);
      const requests: [string, string][] = [
        ['/', alice.credential],
        ['/optional', alice.credential],
        ['/optional', credential],
        ['/optional', 'malformed'],
        ['/anonymous', alice.credential],
      ];
      for (const [path, given] of requests) {
        const { status, json } = await call(path, writer, given);
        const expected = { code: 'ERR_SERVICE_PERMISSION', permission: 'session.read' };
        expect([path, status, json]).toMatchObject([path, 403, expected]);
      }
      expect((await call('/optional', writer, undefined)).json).toEqual({ loginId: 'anonymous' });
    });

    test('gets 401 without a valid credential, and without a session', async () => {
      const { alice, call, withPermissions } = await start(order);
      const reader = await withPermissions('session.read');
      const answers = await Promise.all([
        call('/', {}, alice.credential),
        call('/', serviceHeaders('unknown', 'an unknown secret'), alice.credential),
        call('/', reader, undefined),
        call('/', reader, 'malformed'),
        call('/anonymous', serviceHeaders('unknown', 'an unknown secret'), alice.credential),
      ]);
      expect(answers.map(({ status }) => status)).toEqual([401, 401, 401, 401, 401]);
      expect((await call('/anonymous', {}, alice.credential)).json).toEqual({
        service: 'anonymous',
        attributes: ATTRIBUTES,
      });
    });
  });

  test('sees only the attributes that it may read of a session that a guard of the application assigned', async () => {
    const ownGuard: CanActivate = {
      canActivate(context) {
        guardedRequestOf(context).session = { loginId: 'alice', attributes: ATTRIBUTES } as unknown as Session;
        return true;
      },
    };
    @Controller()
    @UseGuards(ownGuard, ServiceAuthGuard)
    class OwnFirst extends readingBehind() {}
    @Controller()
    @UseGuards(ServiceAuthGuard, ownGuard)
    class OwnLast extends readingBehind() {}
    for (const controller of [OwnFirst, OwnLast]) {
      const { call, withPermissions } = await start({ controller });
      const reader = await withPermissions('session.read:cart.*');
      const writer = await withPermissions('session.write');
      expect((await call('/', reader, undefined)).json).toMatchObject({ salary: 'hidden', items: ['tea'] });
      expect((await call('/', writer, undefined)).status).toBe(403);
    }
  });
});
