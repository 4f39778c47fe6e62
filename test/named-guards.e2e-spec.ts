import { Controller, Get, Inject, Injectable, type Type, UseGuards } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import { afterEach, describe, expect, test } from '@jest/globals';
import {
  CurrentSession,
  DistributedSessionManager,
  DistributedSessionModule,
  InMemorySessionStorage,
  RESOLVED_OPTIONS,
  type ResolvedOptions,
  type Session,
  SessionGuard,
  getDistributedSessionManagerToken,
  getResolvedOptionsToken,
  getSessionStorageToken,
  guardedRequestOf,
} from 'nestjs-distributed-session';
import { ADAPTERS } from './support/adapters.js';
import { cookie } from './support/credential-headers.js';
import { send } from './support/http-request.js';
import { closeApps, listen, startApp } from './support/running-app.js';

const ADMINS = { module: 'admins' };
const makeAdapter = ADAPTERS[0]![1];

function module(name?: string, isGlobal = true) {
  const storage = new InMemorySessionStorage();
  return DistributedSessionModule.forRoot({ serviceId: 'shop', storage, name, isGlobal });
}

class TicketGuard extends SessionGuard {
  protected override extractCredential(request: Parameters<SessionGuard['extractFromCookie']>[0]) {
    return request.headerValues('x-ticket')[0];
  }
}

/** Injects what the module without a name exports, and something else. */
@Injectable()
class OwnConstructorGuard extends SessionGuard {
  constructor(
    sessions: DistributedSessionManager,
    reflector: Reflector,
    @Inject(RESOLVED_OPTIONS) options: ResolvedOptions,
    @Inject('LABEL') readonly label: string,
  ) {
    super(sessions, reflector, options);
  }
}

const loginIn = (guard: Type) => {
  @Controller()
  class LoginController {
    @Get('login')
    @UseGuards(guard)
    show(@CurrentSession(ADMINS) session: Session) {
      return session.loginId;
    }
  }
  return LoginController;
};

afterEach(closeApps);

describe('A named guard', () => {
  test('is one class for each name, also of a subclass', () => {
    expect(SessionGuard.for('admins')).toBe(SessionGuard.for('admins'));
    expect(SessionGuard.for('admins')).not.toBe(SessionGuard.for('users'));
    expect(TicketGuard.for('admins')).not.toBe(SessionGuard.for('admins'));
    expect(TicketGuard.for('admins').prototype).toBeInstanceOf(TicketGuard);
    expect(() => SessionGuard.for('admins').for('users')).toThrow(/bound to a module already/);
    expect(() => SessionGuard.for('no name')).toThrow(/name must be 1 to 64/);
  });

  test.each<[string, Type, Record<string, string> | undefined]>([
    ['a subclass that reads another carrier', TicketGuard.for('admins'), undefined],
    ['a subclass with a constructor of its own', OwnConstructorGuard.for('admins'), {}],
  ])('verifies with its module as %s', async (_what, guard, headers) => {
    const imports = [module(), module('admins')];
    const providers = [{ provide: 'LABEL', useValue: 'label' }];
    const { app, url, sessions } = await startApp({ imports, providers, controllers: [loginIn(guard)] }, makeAdapter);
    const admins = app.get<DistributedSessionManager>(getDistributedSessionManagerToken('admins'), { strict: false });
    const sent = (credential: string) =>
      headers ? cookie(credential, '__Host-session-admins') : { 'x-ticket': credential };
    const [alice, root] = [await sessions.createSession('alice'), await admins.createSession('root')];
    expect((await send(`${url}/login`, sent(root.credential))).text).toBe('root');
    expect((await send(`${url}/login`, sent(alice.credential))).status).toBe(401);
  });

  test('can be overridden in a test, and a stub assigns to its module', async () => {
    const stub = {
      canActivate: (context: Parameters<SessionGuard['canActivate']>[0]) => {
        guardedRequestOf(context, ADMINS).session = { loginId: 'stub' } as Session;
        return true;
      },
    };
    const builder = Test.createTestingModule({
      imports: [module(), module('admins')],
      controllers: [loginIn(SessionGuard.for('admins'))],
    });
    const compiled = await builder.overrideGuard(SessionGuard.for('admins')).useValue(stub).compile();
    const { url } = await listen(compiled.createNestApplication(makeAdapter(), { logger: false }));
    expect((await send(`${url}/login`)).text).toBe('stub');
  });

  test("uses an application's own manager under the module's tokens", async () => {
    const manager = { verifySession: () => Promise.resolve({ loginId: 'remote', attributes: {} }) };
    const providers = [
      { provide: getDistributedSessionManagerToken('admins'), useValue: manager },
      { provide: getResolvedOptionsToken('admins'), useValue: { sessionCarriers: ['cookie'], sessionCookieName: 'c' } },
    ];
    const controllers = [loginIn(SessionGuard.for('admins'))];
    const { url } = await startApp({ imports: [module()], providers, controllers }, makeAdapter);
    expect((await send(`${url}/login`, cookie('x', 'c'))).text).toBe('remote');
  });
});

describe('A test', () => {
  test('can override the storage of one module, and leaves the other alone', async () => {
    const storage = new InMemorySessionStorage();
    const builder = Test.createTestingModule({ imports: [module(), module('admins')] });
    const compiled = await builder.overrideProvider(getSessionStorageToken('admins')).useValue(storage).compile();
    const { app, sessions } = await listen(compiled.createNestApplication(makeAdapter(), { logger: false }));
    const admins = app.get<DistributedSessionManager>(getDistributedSessionManagerToken('admins'), { strict: false });
    await admins.createSession('root');
    expect(await storage.count()).toEqual({ sessions: 1, logins: 1 });
    expect(await sessions.countSessions()).toBe(0);
  });
});
