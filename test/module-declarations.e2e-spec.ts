import { Controller, Get, UseGuards } from '@nestjs/common';
import { afterEach, describe, expect, test } from '@jest/globals';
import {
  AllowAnonymousService,
  CurrentService,
  CurrentSession,
  DistributedSessionModule,
  InMemorySessionStorage,
  OptionalSession,
  RequireServicePermission,
  ServiceAuthGuard,
  ServicePermissionGuard,
  SessionAttribute,
  SessionGuard,
} from 'nestjs-distributed-session';
import { ADAPTERS } from './support/adapters.js';
import { closeApps, makeApp } from './support/running-app.js';
import { faultsOf } from './support/startup-faults.js';

const ADMINS = { module: 'admins' };
const makeAdapter = ADAPTERS[0]![1];

function module(name?: string, isGlobal = true) {
  const storage = new InMemorySessionStorage();
  return DistributedSessionModule.forRoot({ serviceId: 'shop', storage, name, isGlobal });
}

@Controller()
class WrongModule {
  @Get('a')
  @UseGuards(ServiceAuthGuard, ServicePermissionGuard)
  @AllowAnonymousService()
  @RequireServicePermission('report.read', ADMINS)
  unchecked() {}

  @Get('b')
  @UseGuards(ServiceAuthGuard, ServicePermissionGuard.for('admins'))
  @RequireServicePermission('report.read', ADMINS)
  unauthenticated() {}

  @Get('c')
  @UseGuards(ServiceAuthGuard.for('admins'), ServicePermissionGuard.for('admins'))
  @RequireServicePermission('report.read')
  undeclared() {}

  @Get('d')
  @UseGuards(SessionGuard, ServiceAuthGuard)
  unassigned(@SessionAttribute('role', ADMINS) role: unknown, @CurrentService(ADMINS) service: unknown) {
    return [role, service];
  }

  @Get('e')
  @UseGuards(SessionGuard.for('admins'))
  @OptionalSession()
  misdirected() {}

  @Get('f')
  @UseGuards(ServiceAuthGuard)
  @AllowAnonymousService(ADMINS)
  misdirectedService() {}

  @Get('g')
  @UseGuards(ServiceAuthGuard.for('admins'), ServicePermissionGuard.for('admins'))
  @AllowAnonymousService(ADMINS)
  @RequireServicePermission('report.read', ADMINS)
  contradicting() {}
}

/** Routes that are guarded as they are declared. */
@Controller()
class RightModule {
  @Get('a')
  @UseGuards(ServiceAuthGuard, ServiceAuthGuard.for('admins'), ServicePermissionGuard.for('admins'), SessionGuard)
  @RequireServicePermission('report.read', ADMINS)
  one(@CurrentService() service: unknown, @CurrentService(ADMINS) admin: unknown, @CurrentSession() session: unknown) {
    return [service, admin, session];
  }

  @Get('b')
  @UseGuards(ServiceAuthGuard, ServicePermissionGuard, ServiceAuthGuard.for('admins'))
  @AllowAnonymousService(ADMINS)
  @RequireServicePermission('report.read')
  two() {}
}

afterEach(closeApps);

describe('An application with two modules', () => {
  test('does not start with routes that are guarded by another module than they declare', async () => {
    const app = await makeApp({ imports: [module(), module('admins')], controllers: [WrongModule] }, makeAdapter);
    const selection = "{ module: 'admins' }";
    expect(await faultsOf(app)).toEqual([
      `WrongModule.unchecked: no guard checks @RequireServicePermission(${selection}). Add ServiceAuthGuard.for('admins') and ServicePermissionGuard.for('admins').`,
      "WrongModule.unauthenticated: ServicePermissionGuard.for('admins') requires ServiceAuthGuard.for('admins') before it. Global guards run first, then those of the class.",
      'WrongModule.undeclared: no guard checks @RequireServicePermission(). Add ServiceAuthGuard and ServicePermissionGuard.',
      `WrongModule.undeclared: its decorators declare no permission. Add @RequireServicePermission('…', ${selection}) or @AllowAnonymousService(${selection}). To declare a controller of another package, call one before the application starts: AllowAnonymousService(${selection})(WrongModule).`,
      `WrongModule.unassigned: no guard authenticates a service for @CurrentService(${selection}). Add ServiceAuthGuard.for('admins').`,
      `WrongModule.unassigned: no guard verifies a session for @CurrentSession(${selection}) or @SessionAttribute(${selection}). Add SessionGuard.for('admins').`,
      `WrongModule.misdirected: @OptionalSession() reaches no guard: those of this route are of another module. Write @OptionalSession(${selection}).`,
      `WrongModule.misdirectedService: @AllowAnonymousService(${selection}) reaches no guard: those of this route are of another module. Write @AllowAnonymousService().`,
      expect.stringMatching(/^WrongModule\.contradicting: @AllowAnonymousService\(\) and .* on the method/),
    ]);
  });

  test('starts with routes that are guarded as they are declared', async () => {
    const app = await makeApp({ imports: [module(), module('admins')], controllers: [RightModule] }, makeAdapter);
    await expect(app.init()).resolves.toBeDefined();
  });
});
