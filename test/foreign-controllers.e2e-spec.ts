import { Controller, Get, type INestApplication, Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { afterEach, describe, expect, test } from '@jest/globals';
import {
  AllowAnonymousService,
  DistributedSessionModule,
  InMemorySessionStorage,
  OptionalSession,
  OptionsError,
  RequireServicePermission,
  ServiceAuthGuard,
  ServicePermissionGuard,
  SessionGuard,
} from 'nestjs-distributed-session';
import type { MakeAdapter } from './support/adapters.js';
import { bearer } from './support/credential-headers.js';
import { send } from './support/http-request.js';
import { closeApps, listen, makeApp } from './support/running-app.js';

/** What another package exports: a module with a controller that is not decorated for this library. */
function foreignPackage() {
  @Controller('vendor')
  class VendorController {
    @Get()
    index() {
      return { page: 'index' };
    }

    @Get('queue')
    queue() {
      return { page: 'queue' };
    }
  }

  @Module({ controllers: [VendorController] })
  class VendorModule {}
  return { VendorController, VendorModule };
}

type Foreign = ReturnType<typeof foreignPackage>;

const ADAPTERS: readonly (readonly [string, MakeAdapter])[] = [
  ['Express', () => new ExpressAdapter()],
  ['Fastify', () => new FastifyAdapter()],
];

afterEach(closeApps);

describe.each(ADAPTERS)('On %s, a controller of another package under global guards', (_name, makeAdapter) => {
  async function make({ VendorModule }: Foreign): Promise<INestApplication> {
    const sessions = DistributedSessionModule.forRoot({ serviceId: 'shop', storage: new InMemorySessionStorage() });
    const guards = [ServiceAuthGuard, ServicePermissionGuard].map((useClass) => ({ provide: APP_GUARD, useClass }));
    return makeApp({ imports: [sessions, VendorModule], providers: guards }, makeAdapter);
  }

  test('does not start undeclared, and the error shows the call that declares it', async () => {
    const foreign = foreignPackage();
    const app = await make(foreign);
    const error: unknown = await app.init().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(OptionsError);
    const call = 'AllowAnonymousService()(VendorController)';
    const expected = expect.stringContaining(`call one before the application starts: ${call}.`) as unknown;
    expect((error as OptionsError).errors).toEqual([expected, expected]);
    // The call as the error shows it.
    AllowAnonymousService()(foreign.VendorController);
    expect(await statusesOf(await make(foreign))).toEqual([
      [200, 200, 200],
      [200, 200, 200],
    ]);
  });

  test('is declared as a whole, through its module', async () => {
    const foreign = foreignPackage();
    const controllers = Reflect.getMetadata('controllers', foreign.VendorModule) as Function[];
    for (const controller of controllers) RequireServicePermission('queue.read')(controller);
    expect(await statusesOf(await make(foreign))).toEqual([
      [401, 403, 200],
      [401, 403, 200],
    ]);
  });

  test('is declared by method, with and without a descriptor', async () => {
    const foreign = foreignPackage();
    const prototype = foreign.VendorController.prototype as object;
    RequireServicePermission('queue.read')(prototype, 'queue', Object.getOwnPropertyDescriptor(prototype, 'queue')!);
    Reflect.decorate([AllowAnonymousService()], prototype, 'index');
    expect(await statusesOf(await make(foreign))).toEqual([
      [200, 200, 200],
      [401, 403, 200],
    ]);
  });

  test('is opened to requests without a session', async () => {
    const { VendorController, VendorModule } = foreignPackage();
    OptionalSession()(VendorController);
    const sessions = DistributedSessionModule.forRoot({ serviceId: 'shop', storage: new InMemorySessionStorage() });
    const guard = { provide: APP_GUARD, useClass: SessionGuard };
    const { url } = await listen(await makeApp({ imports: [sessions, VendorModule], providers: [guard] }, makeAdapter));
    expect((await send(`${url}/vendor`)).status).toBe(200);
  });
});

/** The statuses of both routes, for an anonymous caller, one without and one with the permission. */
async function statusesOf(app: INestApplication): Promise<number[][]> {
  const { url, sessions } = await listen(app);
  const callers = await Promise.all(
    ['orders.read', 'queue.read'].map(async (permission, index) => {
      const registration = { serviceId: `caller-${index}`, serviceName: 'Caller', permissions: [permission] };
      return bearer((await sessions.registerService(registration)).secret);
    }),
  );
  const all = [{}, ...callers];
  const statuses = async (path: string) =>
    Promise.all(all.map(async (headers) => (await send(`${url}/${path}`, headers)).status));
  return [await statuses('vendor'), await statuses('vendor/queue')];
}
