import {
  type CanActivate,
  Controller,
  type ExecutionContext,
  Get,
  Injectable,
  Module,
  UseGuards,
} from '@nestjs/common';
import { APP_GUARD, Reflector, RouterModule } from '@nestjs/core';
import { afterEach, describe, expect, test } from '@jest/globals';
import {
  AllowAnonymousService,
  CurrentService,
  CurrentSession,
  RequireServicePermission,
  ServiceAuthGuard,
  ServicePermissionGuard,
  type ServiceCredential,
  type Session,
  SessionGuard,
  guardedRequestOf,
} from 'nestjs-distributed-session';
import { ADAPTERS } from './support/adapters.js';
import { BothOnClass, OwnPermissionGuard, Routes, SERVICE_GUARDS } from './support/guarded-routes.js';
import { send } from './support/http-request.js';
import { closeApps, listen } from './support/running-app.js';
import { type FaultyCase, faultsOf, linesOf, makeShop } from './support/startup-faults.js';

const UNAUTHENTICATED = /ServicePermissionGuard requires ServiceAuthGuard before it/;
const UNCHECKED = /no guard checks @RequireServicePermission\(\)/;

@Controller('wrong-order')
@UseGuards(ServicePermissionGuard, ServiceAuthGuard)
@RequireServicePermission('session.read')
class WrongOrder extends Routes {}

@Controller('session-first')
@UseGuards(SessionGuard, ServicePermissionGuard)
@RequireServicePermission('session.read')
class OnlySessionBefore extends Routes {}

@Controller('only-permission')
@RequireServicePermission('session.read')
class OnlyPermissionGuard {
  @Get()
  @UseGuards(ServicePermissionGuard)
  list() {}
}

@Controller('own')
@UseGuards(new OwnPermissionGuard(new Reflector()))
@RequireServicePermission('session.read')
class OwnInstance extends Routes {}

@Controller('unchecked')
@RequireServicePermission('session.read')
class Unguarded extends Routes {}

@Controller('unchecked-auth')
@UseGuards(ServiceAuthGuard, SessionGuard)
class OnlyAuthenticated {
  @Get()
  @RequireServicePermission('session.read')
  list() {}
}

@Controller('misspelt')
@UseGuards(...SERVICE_GUARDS)
@RequireServicePermission('session.raed')
class Misspelt {
  @Get()
  @RequireServicePermission('service.manages', 'Session.read', 'session.read.*', 'session', 'order.raed')
  list() {}

  @Get('anonymous')
  @AllowAnonymousService()
  anonymous() {}
}

@Module({ controllers: [BothOnClass] })
class OtherModule {}
describe.each(ADAPTERS)('An application on %s', (_name, makeAdapter) => {
  afterEach(closeApps);

  test.each<FaultyCase>([
    ['ServicePermissionGuard in front of ServiceAuthGuard', WrongOrder, [['WrongOrder.list', UNAUTHENTICATED]]],
    [
      'ServicePermissionGuard behind SessionGuard only',
      OnlySessionBefore,
      [['OnlySessionBefore.list', UNAUTHENTICATED]],
    ],
    ['ServicePermissionGuard alone', OnlyPermissionGuard, [['OnlyPermissionGuard.list', UNAUTHENTICATED]]],
    ['an instance of a subclass of ServicePermissionGuard alone', OwnInstance, [['OwnInstance.list', UNAUTHENTICATED]]],
    ['a permission that no guard checks', Unguarded, [['Unguarded.list', UNCHECKED]]],
    ['a permission behind guards that do not check it', OnlyAuthenticated, [['OnlyAuthenticated.list', UNCHECKED]]],
    [
      'permissions that do not exist',
      Misspelt,
      [
        ['Misspelt.list', /Unknown permission "session\.raed"\. Did you mean "session\.read"\?/],
        ['Misspelt.list', /Unknown permission "service\.manages"\. Did you mean "service\.manage"\?/],
        ['Misspelt.list', /Unknown permission "Session\.read"\. Did you mean "session\.read"\?/],
        ['Misspelt.list', /Unknown permission "session\.read\.\*"/],
        ['Misspelt.list', /Unknown permission "session"/],
        ['Misspelt.anonymous', /Unknown permission "session\.raed"/],
      ],
    ],
  ])('does not start with %s, and names the route', async (_what, controller, faults) => {
    const app = await makeShop({ controllers: [controller] }, makeAdapter);
    expect(await faultsOf(app)).toEqual(linesOf(faults));
  });

  test('reports each route once, although its controller belongs to several modules, and all faults at once', async () => {
    const other = RouterModule.register([{ path: 'other', module: OtherModule }]);
    const app = await makeShop(
      { imports: [OtherModule, other], controllers: [BothOnClass, WrongOrder, Misspelt] },
      makeAdapter,
    );
    const routes = (await faultsOf(app)).map((fault) => fault.split(': ')[0]);
    expect(routes.filter((route) => route === 'BothOnClass.list')).toHaveLength(1);
    expect(new Set(routes)).toEqual(
      new Set(['BothOnClass.list', 'WrongOrder.list', 'Misspelt.list', 'Misspelt.anonymous']),
    );
  });

  test('does not start with a global ServicePermissionGuard in front of ServiceAuthGuard on the class', async () => {
    @Controller()
    @UseGuards(ServiceAuthGuard)
    @RequireServicePermission('session.read')
    class Late extends Routes {}
    const providers = [{ provide: APP_GUARD, useClass: ServicePermissionGuard }];
    expect(await faultsOf(await makeShop({ controllers: [Late], providers }, makeAdapter))).toEqual([
      expect.stringMatching(/^Late\.list: ServicePermissionGuard requires ServiceAuthGuard before it/),
    ]);
    const app = await makeShop({ controllers: [Late] }, makeAdapter);
    app.useGlobalGuards(new ServicePermissionGuard(new Reflector()));
    expect(await faultsOf(app)).toHaveLength(1);
  });

  test('starts with declarations of methods that override their class, and with guards of its own', async () => {
    @Injectable()
    class ApiKeyGuard implements CanActivate {
      canActivate(context: ExecutionContext) {
        const request = guardedRequestOf(context);
        request.service = { serviceId: 'key', permissions: ['session.*'] } as unknown as ServiceCredential;
        request.session = undefined;
        return true;
      }
    }
    @Controller('own')
    @UseGuards(ApiKeyGuard, ServicePermissionGuard)
    @RequireServicePermission('session.*')
    class Own {
      @Get()
      read(@CurrentService() service: ServiceCredential, @CurrentSession() session?: Session) {
        return { service: service.serviceId, session: session ?? null };
      }

      @Get('open')
      @AllowAnonymousService()
      open() {
        return 'open';
      }
    }
    @Controller('lobby')
    @UseGuards(...SERVICE_GUARDS)
    @AllowAnonymousService()
    class Lobby {
      @Get()
      @RequireServicePermission('order.raed')
      office() {
        return 'office';
      }
    }
    const { url } = await listen(await makeShop({ controllers: [Own, Lobby] }, makeAdapter));
    expect((await send(`${url}/own`)).json).toEqual({ service: 'key', session: null });
    expect((await send(`${url}/own/open`)).text).toBe('open');
    expect((await send(`${url}/lobby`)).status).toBe(401);
  });
});
