import { afterEach, describe, expect, it } from '@jest/globals';
import {
  type CanActivate,
  Controller,
  type ExecutionContext,
  Get,
  type INestApplication,
  UseGuards,
} from '@nestjs/common';
import { Test, type TestingModuleBuilder } from '@nestjs/testing';
import {
  CurrentService,
  CurrentSession,
  DistributedSessionManager,
  DistributedSessionModule,
  InMemorySessionStorage,
  RESOLVED_OPTIONS,
  ServiceAuthGuard,
  type ServiceCredential,
  type Session,
  SessionAttribute,
  SessionEvents,
  SessionGuard,
  SessionStorage,
  guardedRequestOf,
} from 'nestjs-distributed-session';
import { ADAPTERS } from './support/adapters.js';

@Controller()
@UseGuards(ServiceAuthGuard, SessionGuard)
class ProfileController {
  @Get('profile')
  profile(
    @CurrentService() service: ServiceCredential,
    @CurrentSession() session: Session,
    @SessionAttribute('role') role: string,
  ) {
    return { service: service.serviceId, login: session.loginId, role };
  }
}

@Controller()
class AccountController {
  @Get('account')
  @UseGuards(SessionGuard)
  account(@CurrentSession() session: Session) {
    return { login: session.loginId };
  }
}

/** Takes the place of both guards and finds what a test needs. */
const stub: CanActivate = {
  canActivate(context: ExecutionContext): boolean {
    const request = guardedRequestOf(context);
    request.service = { serviceId: 'stub' } as ServiceCredential;
    request.session = { loginId: 'alice', attributes: { role: 'admin' } } as unknown as Session;
    return true;
  },
};

function buildModule(): TestingModuleBuilder {
  const options = { serviceId: 'svc', storage: new InMemorySessionStorage() };
  return Test.createTestingModule({
    imports: [DistributedSessionModule.forRoot(options)],
    controllers: [ProfileController],
  });
}

describe("a test that puts something of its own in the library's place", () => {
  let app: INestApplication | undefined;

  afterEach(async () => {
    await app?.close();
    app = undefined;
  });

  it.each(ADAPTERS)('may be a guard, on %s: the decorators read what it found', async (_name, createAdapter) => {
    const overridden = buildModule()
      .overrideGuard(ServiceAuthGuard)
      .useValue(stub)
      .overrideGuard(SessionGuard)
      .useValue(stub);
    const testing = await overridden.compile();
    app = testing.createNestApplication(createAdapter());
    await app.listen(0, '127.0.0.1');
    const answer = await fetch(`${await app.getUrl()}/profile`);
    expect(await answer.json()).toEqual({ service: 'stub', login: 'alice', role: 'admin' });
  });

  it('may be a manager without the module: the guards ask it, and nothing else of the library', async () => {
    const manager = { verifySession: () => Promise.resolve({ loginId: 'alice' }) };
    const options = { sessionCarriers: ['bearer'], sessionCookieName: 'unused' };
    const testing = await Test.createTestingModule({
      controllers: [AccountController],
      providers: [
        { provide: DistributedSessionManager, useValue: manager },
        { provide: RESOLVED_OPTIONS, useValue: options },
      ],
    }).compile();
    app = testing.createNestApplication();
    await app.listen(0, '127.0.0.1');
    const url = `${await app.getUrl()}/account`;
    const answer = await fetch(url, { headers: { authorization: 'Bearer any' } });
    expect(await answer.json()).toEqual({ login: 'alice' });
    expect((await fetch(url)).status).toBe(401);
  });

  it('may be a manager that has only what the test needs: the application still starts and stops', async () => {
    const manager = { getSession: () => Promise.resolve({ loginId: 'alice' }) };
    const testing = await buildModule().overrideProvider(DistributedSessionManager).useValue(manager).compile();
    app = testing.createNestApplication();
    await app.init();
    expect(app.get(DistributedSessionManager)).toBe(manager);
    expect(app.get(SessionEvents).all).toBeDefined();
  });

  it('may be a storage: the manager works on it', async () => {
    const storage = new InMemorySessionStorage();
    const testing = await buildModule().overrideProvider(SessionStorage).useValue(storage).compile();
    app = testing.createNestApplication();
    await app.init();
    await app.get(DistributedSessionManager).createSession('alice');
    expect(await storage.count()).toEqual({ sessions: 1, logins: 1 });
  });
});
