import { Controller, Get, UseGuards } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { afterEach, describe, expect, test } from '@jest/globals';
import {
  AllowAnonymousService,
  CurrentSession,
  OptionalSession,
  RequireServicePermission,
  ServiceAuthGuard,
  ServicePermissionGuard,
  type Session,
  SessionGuard,
} from 'nestjs-distributed-session';
import { ADAPTERS } from './support/adapters.js';
import { basic, bearer, cookie, serviceHeaders, sessionHeaders } from './support/credential-headers.js';
import { send } from './support/http-request.js';
import { closeApps } from './support/running-app.js';
import { ADMINS, ADMINS_COOKIE, startTwoModules } from './support/two-modules.js';

@Controller()
class DeclaringController {
  @Get('optional-admin')
  @UseGuards(SessionGuard, SessionGuard.for(ADMINS))
  @OptionalSession({ module: ADMINS })
  optionalAdmin(@CurrentSession() user: Session, @CurrentSession({ module: ADMINS }) admin?: Session) {
    return [user.loginId, admin?.loginId ?? null];
  }

  @Get('reduced')
  @UseGuards(ServiceAuthGuard.for(ADMINS), SessionGuard, SessionGuard.for(ADMINS))
  reduced(@CurrentSession() user: Session, @CurrentSession({ module: ADMINS }) admin: Session) {
    return [user.attributes, admin.attributes];
  }
}

/** Every route is behind the guards of both modules. */
@Controller()
class GloballyGuardedController {
  @Get('global')
  @RequireServicePermission('report.read', { module: ADMINS })
  @AllowAnonymousService()
  show(@CurrentSession({ module: ADMINS }) admin: Session) {
    return admin.loginId;
  }

  @Get('global/open')
  @AllowAnonymousService({ module: ADMINS })
  @AllowAnonymousService()
  @OptionalSession({ module: ADMINS })
  open() {
    return 'open';
  }
}

const GLOBAL_GUARDS = [
  ServiceAuthGuard,
  ServiceAuthGuard.for(ADMINS),
  ServicePermissionGuard,
  ServicePermissionGuard.for(ADMINS),
  SessionGuard.for(ADMINS),
].map((useClass) => ({ provide: APP_GUARD, useClass }));

const REPORTER = { serviceId: 'reporter', serviceName: 'Reporter', permissions: ['report.read'] };

describe.each(ADAPTERS)('Two modules of one application on %s', (_name, makeAdapter) => {
  afterEach(closeApps);

  test('each accept only their own sessions, in every carrier', async () => {
    const { url, users, admins } = await startTwoModules(makeAdapter);
    const alice = await users.createSession('alice', undefined, { attributes: { role: 'buyer' } });
    const root = await admins.createSession('root', undefined, { attributes: { role: 'owner' } });
    const status = async (path: string, headers: Record<string, string>) =>
      (await send(`${url}/${path}`, headers)).status;
    expect((await send(`${url}/user`, cookie(alice.credential))).json).toEqual({ loginId: 'alice', role: 'buyer' });
    expect((await send(`${url}/admin`, cookie(root.credential, ADMINS_COOKIE))).json).toEqual({
      loginId: 'root',
      role: 'owner',
    });
    for (const [path, own, other] of [
      ['user', alice, root],
      ['admin', root, alice],
    ] as const) {
      const swapped = [
        { sessionId: own.sessionId, token: other.token },
        { sessionId: other.sessionId, token: own.token },
      ];
      expect(await status(path, bearer(own.credential))).toBe(200);
      expect(await status(path, bearer(other.credential))).toBe(401);
      expect(await status(path, cookie(other.credential))).toBe(401);
      expect(await status(path, cookie(other.credential, ADMINS_COOKIE))).toBe(401);
      for (const credential of swapped) expect(await status(path, sessionHeaders(credential))).toBe(401);
    }
    // A cookie of the other module does not count, whatever it contains.
    expect(await status('user', cookie(alice.credential, ADMINS_COOKIE))).toBe(401);
    expect(await status('admin', cookie(root.credential))).toBe(401);
  });

  test('keep the two sessions of one request separate', async () => {
    const { url, users, admins } = await startTwoModules(makeAdapter);
    const alice = await users.createSession('alice');
    const root = await admins.createSession('root');
    const cookies = { cookie: `${ADMINS_COOKIE}=${root.credential}; __Host-session=${alice.credential}` };
    expect((await send(`${url}/both`, cookies)).json).toEqual({ user: 'alice', admin: 'root' });
    expect((await send(`${url}/both`, cookie(alice.credential))).status).toBe(401);
    await admins.kickOut(root.sessionId);
    expect((await send(`${url}/both`, cookies)).json).toMatchObject({ code: 'ERR_SESSION_ENDED' });
    expect((await send(`${url}/user`, cookies)).json).toMatchObject({ loginId: 'alice' });
  });

  test('authenticate and authorise only their own services', async () => {
    const { url, users, admins } = await startTwoModules(makeAdapter);
    const { secret } = await admins.registerService(REPORTER);
    const own = await users.registerService({ ...REPORTER, permissions: [] });
    const status = async (path: string, headers: Record<string, string>) =>
      (await send(`${url}/${path}`, headers)).status;
    expect(await status('admin-service', serviceHeaders('reporter', secret))).toBe(200);
    expect(await status('admin-service', bearer(secret))).toBe(200);
    expect(await status('user-service', basic('reporter', secret))).toBe(401);
    expect(await status('user-service', basic('reporter', own.secret))).toBe(403);
    expect(await status('admin-service', serviceHeaders('reporter', own.secret))).toBe(401);
    expect(await status('admin-service', bearer(own.secret))).toBe(401);
  });

  test("reduce a session by their own service's permissions, and not by the other's", async () => {
    const { url, users, admins } = await startTwoModules(makeAdapter, { controllers: [DeclaringController] });
    const attributes = { 'cart.items': 1, role: 'x' };
    const alice = await users.createSession('alice', undefined, { attributes });
    const root = await admins.createSession('root', undefined, { attributes });
    const { secret } = await admins.registerService({ ...REPORTER, permissions: ['session.read:cart.*'] });
    const cookies = `${ADMINS_COOKIE}=${root.credential}; __Host-session=${alice.credential}`;
    const answer = await send(`${url}/reduced`, { cookie: cookies, ...serviceHeaders('reporter', secret) });
    expect(answer.json).toEqual([attributes, { 'cart.items': 1 }]);
  });

  test('follow only the decorators that select them', async () => {
    const { url, users } = await startTwoModules(makeAdapter, { controllers: [DeclaringController] });
    const alice = await users.createSession('alice');
    expect((await send(`${url}/optional-admin`, cookie(alice.credential))).json).toEqual(['alice', null]);
    expect((await send(`${url}/optional-admin`, cookie(alice.credential, ADMINS_COOKIE))).status).toBe(401);
  });

  test('can both have global guards', async () => {
    const metadata = { controllers: [GloballyGuardedController], providers: GLOBAL_GUARDS };
    const { url, admins } = await startTwoModules(makeAdapter, metadata);
    const { secret } = await admins.registerService({ ...REPORTER, permissions: ['report.read', 'session.read'] });
    const lesser = await admins.registerService({
      serviceId: 'lesser',
      serviceName: 'Lesser',
      permissions: ['session.read'],
    });
    const root = await admins.createSession('root');
    const session = cookie(root.credential, ADMINS_COOKIE);
    expect((await send(`${url}/global/open`)).text).toBe('open');
    expect((await send(`${url}/global`, session)).json).toMatchObject({ code: 'ERR_SERVICE_AUTHENTICATION' });
    expect((await send(`${url}/global`, { ...session, ...serviceHeaders('lesser', lesser.secret) })).status).toBe(403);
    expect((await send(`${url}/global`, { ...session, ...serviceHeaders('reporter', secret) })).text).toBe('root');
    expect((await send(`${url}/global`, serviceHeaders('reporter', secret))).status).toBe(401);
  });
});
