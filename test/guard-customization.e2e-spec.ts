import { type CanActivate, Controller, Get, Injectable, UseGuards } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { afterEach, describe, expect, test } from '@jest/globals';
import {
  CurrentService,
  CurrentSession,
  DistributedSessionManager,
  DistributedSessionModule,
  type DistributedSessionModuleOptions,
  type GuardedRequest,
  InMemorySessionStorage,
  type IssuedSession,
  type PresentedServiceCredential,
  RESOLVED_OPTIONS,
  type ServiceCarrier,
  ServiceAuthGuard,
  type ServiceCredential,
  type VerifiedService,
  type Session,
  SessionAttribute,
  type SessionCarrier,
  SessionGuard,
  guardedRequestOf,
} from 'nestjs-distributed-session';
import { ADAPTERS } from './support/adapters.js';
import {
  type RequestHeaders,
  basic,
  bearer,
  cookie,
  serviceHeaders,
  sessionHeaders,
} from './support/credential-headers.js';
import { send } from './support/http-request.js';
import { closeApps, listen, startApp, startSessionApp } from './support/running-app.js';

/** Reads the id and the secret from one header. */
@Injectable()
class ApiKeyGuard extends ServiceAuthGuard {
  protected override extractCredential(request: GuardedRequest): PresentedServiceCredential | undefined {
    const [serviceId, secret] = request.headerValues('x-api-key')[0]?.split('/') ?? [];
    return serviceId !== undefined && secret !== undefined ? { serviceId, secret } : undefined;
  }
}

@Injectable()
class TicketGuard extends SessionGuard {
  protected override extractCredential(request: GuardedRequest): string | undefined {
    return request.headerValues('x-ticket')[0];
  }
}

@Controller()
class CallerController {
  @Get('service')
  @UseGuards(ServiceAuthGuard)
  service(@CurrentService() service: ServiceCredential) {
    return { id: service.serviceId };
  }

  @Get('session')
  @UseGuards(SessionGuard)
  session(@CurrentSession() session: Session) {
    return { id: session.loginId };
  }

  @Get('api-key')
  @UseGuards(ApiKeyGuard)
  apiKey(@CurrentService() service: ServiceCredential) {
    return { id: service.serviceId };
  }

  @Get('ticket')
  @UseGuards(TicketGuard)
  ticket(@CurrentSession() session: Session) {
    return { id: session.loginId };
  }
}

@Controller()
class ProfileController {
  @Get('profile')
  @UseGuards(ServiceAuthGuard, SessionGuard)
  profile(
    @CurrentService() service: ServiceCredential,
    @CurrentSession() { loginId }: Session,
    @SessionAttribute('role') role: string,
  ) {
    return { service: service.serviceId, loginId, role };
  }
}

afterEach(closeApps);

describe.each(ADAPTERS)('A guard on %s', (_name, makeAdapter) => {
  async function start(options: Partial<DistributedSessionModuleOptions>) {
    const controllers = [CallerController];
    const storage = new InMemorySessionStorage();
    const app = await startSessionApp(makeAdapter, { serviceId: 'app', storage, ...options }, { controllers });
    const { secret } = await app.sessions.registerService({
      serviceId: 'gateway',
      serviceName: 'G',
      permissions: ['*'],
    });
    return { ...app, secret, alice: await app.sessions.createSession('alice') };
  }

  const SERVICE: Record<ServiceCarrier, (secret: string) => RequestHeaders> = {
    basic: (secret) => basic('gateway', secret),
    bearer: (secret) => bearer(secret),
    headers: (secret) => serviceHeaders('gateway', secret),
  };

  const SESSION: Record<SessionCarrier, (alice: IssuedSession) => RequestHeaders> = {
    cookie: ({ credential }) => cookie(credential),
    bearer: ({ credential }) => bearer(credential),
    headers: (alice) => sessionHeaders(alice),
  };

  test.each(Object.keys(SERVICE) as ServiceCarrier[])(
    'reads a service credential only from %s if only that carrier is configured',
    async (only) => {
      const { url, secret } = await start({ serviceCarriers: [only] });
      for (const [carrier, headersOf] of Object.entries(SERVICE)) {
        const { status, headers } = await send(`${url}/service`, headersOf(secret));
        const scheme = headers.get('www-authenticate')?.split(' ')[0];
        const rejected = [carrier, 401, { basic: 'Basic', bearer: 'Bearer', headers: 'Service' }[only]];
        expect([carrier, status, scheme]).toEqual(carrier === only ? [carrier, 200, undefined] : rejected);
      }
    },
  );

  test.each(Object.keys(SESSION) as SessionCarrier[])(
    'reads a session credential only from %s if only that carrier is configured',
    async (only) => {
      const { url, alice } = await start({ sessionCarriers: [only] });
      for (const [carrier, headersOf] of Object.entries(SESSION)) {
        const { status } = await send(`${url}/session`, headersOf(alice));
        expect([carrier, status]).toEqual([carrier, carrier === only ? 200 : 401]);
      }
    },
  );

  test('ignores carriers that are not configured', async () => {
    const services = await start({ serviceCarriers: ['headers'] });
    const strayBasic = { ...basic('unknown', 'unknown'), ...serviceHeaders('gateway', services.secret) };
    expect((await send(`${services.url}/service`, strayBasic)).json).toEqual({ id: 'gateway' });
    const cookies = await start({ sessionCarriers: ['cookie'] });
    const strayBearer = { ...sessionHeaders({ sessionId: 'x', token: 'y' }), ...cookie(cookies.alice.credential) };
    expect((await send(`${cookies.url}/session`, strayBearer)).json).toEqual({ id: 'alice' });
    const headers = await start({ sessionCarriers: ['headers'] });
    const strayCookie = { ...cookie('anything'), ...sessionHeaders(headers.alice) };
    expect((await send(`${headers.url}/session`, strayCookie)).json).toEqual({ id: 'alice' });
  });

  test('ignores X-Session-Id if only bearer tokens are configured', async () => {
    const { url, alice } = await start({ sessionCarriers: ['bearer'] });
    const headers = { 'x-session-id': alice.sessionId, ...bearer(alice.credential) };
    expect((await send(`${url}/session`, headers)).json).toEqual({ id: 'alice' });
  });

  test('reads the cookie with the configured name', async () => {
    const { url, alice } = await start({ sessionCookieName: 'sid' });
    expect((await send(`${url}/session`, cookie(alice.credential, 'sid'))).status).toBe(200);
    expect((await send(`${url}/session`, cookie(alice.credential))).status).toBe(401);
    expect((await send(`${url}/session`, cookie(alice.credential, 'xsid'))).status).toBe(401);
  });

  test('can be subclassed to read the credential differently', async () => {
    const { url, secret, alice } = await start({});
    const apiKey = `${url}/api-key`;
    expect((await send(apiKey, { 'x-api-key': `gateway/${secret}` })).json).toEqual({ id: 'gateway' });
    expect((await send(apiKey, { 'x-api-key': `unknown/${secret}` })).status).toBe(401);
    expect((await send(apiKey, basic('gateway', secret))).status).toBe(401);
    expect((await send(`${url}/ticket`, { 'x-ticket': alice.credential })).json).toEqual({ id: 'alice' });
    expect((await send(`${url}/ticket`, bearer(alice.credential))).status).toBe(401);
  });

  test('can be overridden in a test, and the decorators read its request', async () => {
    const stub: CanActivate = {
      canActivate(context) {
        const request = guardedRequestOf(context);
        request.service = { serviceId: 'stub' } as VerifiedService;
        request.session = { loginId: 'alice', attributes: { role: 'admin' } } as unknown as Session;
        return true;
      },
    };
    const imports = [DistributedSessionModule.forRoot({ serviceId: 'app', storage: new InMemorySessionStorage() })];
    const builder = Test.createTestingModule({ imports, controllers: [ProfileController] });
    const module = await builder
      .overrideGuard(ServiceAuthGuard)
      .useValue(stub)
      .overrideGuard(SessionGuard)
      .useValue(stub)
      .compile();
    const { url } = await listen(module.createNestApplication(makeAdapter()));
    expect((await send(`${url}/profile`)).json).toEqual({ service: 'stub', loginId: 'alice', role: 'admin' });
  });

  test('needs only a stub manager and its options in a test without the module', async () => {
    const manager = { verifySession: () => Promise.resolve({ loginId: 'alice' }) };
    const options = { sessionCarriers: ['bearer'], sessionCookieName: 'unused' };
    const providers = [
      { provide: DistributedSessionManager, useValue: manager },
      { provide: RESOLVED_OPTIONS, useValue: options },
    ];
    const { url } = await startApp({ controllers: [CallerController], providers }, makeAdapter);
    expect((await send(`${url}/session`, bearer('any'))).json).toEqual({ id: 'alice' });
    expect((await send(`${url}/session`)).status).toBe(401);
  });
});
