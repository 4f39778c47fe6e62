import { Controller, Get, UseGuards } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { afterEach, describe, expect, test } from '@jest/globals';
import {
  DistributedSessionExceptionFilter,
  type DistributedSessionModuleOptions,
  InMemorySessionStorage,
  RequireServicePermission,
  ServicePermissionGuard,
} from 'nestjs-distributed-session';
import { ADAPTERS } from './support/adapters.js';
import { AnswersController, ServicesController, UnguardedController } from './support/answering-controllers.js';
import { bearer, cookie } from './support/credential-headers.js';
import { send } from './support/http-request.js';
import { closeApps, startSessionApp } from './support/running-app.js';

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
