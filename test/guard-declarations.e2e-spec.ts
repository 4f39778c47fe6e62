import {
  All,
  type CanActivate,
  Controller,
  type ExecutionContext,
  Get,
  Head,
  type INestApplication,
  Injectable,
  type MessageEvent,
  type ModuleMetadata,
  Module,
  type Type,
  Sse,
  UseGuards,
  applyDecorators,
  mixin,
} from '@nestjs/common';
import { APP_GUARD, Reflector, RouterModule } from '@nestjs/core';
import { afterEach, describe, expect, test } from '@jest/globals';
import { type Observable, of } from 'rxjs';
import {
  AllowAnonymousService,
  CurrentService,
  CurrentSession,
  DistributedSessionModule,
  InMemorySessionStorage,
  OptionalSession,
  OptionsError,
  RequireServicePermission,
  ServiceAuthGuard,
  ServicePermissionGuard,
  type ServiceCredential,
  type Session,
  SessionAttribute,
  SessionGuard,
  guardedRequestOf,
} from 'nestjs-distributed-session';
import { ADAPTERS } from './support/adapters.js';
import { bearer } from './support/credential-headers.js';
import { send } from './support/http-request.js';
import { closeApps, listen, makeApp } from './support/running-app.js';

const SERVICE_GUARDS = [ServiceAuthGuard, ServicePermissionGuard];
const CONTRADICT = /@AllowAnonymousService\(\) and @RequireServicePermission\(\) contradict each other on /;
const UNAUTHENTICATED = /ServicePermissionGuard requires ServiceAuthGuard before it/;
const UNCHECKED = /no guard checks @RequireServicePermission\(\)/;
const NO_SERVICE = /no guard authenticates a service for @CurrentService\(\)/;
const NO_SESSION = /no guard verifies a session for @CurrentSession\(\) or @SessionAttribute\(\)/;

/** A single route. */
class Routes {
  @Get()
  list() {
    return 'content';
  }
}

@UseGuards(...SERVICE_GUARDS)
@AllowAnonymousService()
class AnonymousBase extends Routes {}

@UseGuards(...SERVICE_GUARDS)
@RequireServicePermission('service.manage')
class RequiringBase extends Routes {}

@Controller('a')
@RequireServicePermission('service.manage')
class RequiresBelowAnonymous extends AnonymousBase {}

@Controller('b')
@AllowAnonymousService()
class AnonymousBelowRequiring extends RequiringBase {}

@Controller('c')
class InheritsContradiction extends RequiresBelowAnonymous {}

@Controller('d')
@UseGuards(...SERVICE_GUARDS)
@AllowAnonymousService()
@RequireServicePermission('service.manage')
class BothOnClass extends Routes {}

@Controller('e')
@UseGuards(...SERVICE_GUARDS)
class BothOnMethod {
  @Get()
  @AllowAnonymousService()
  @RequireServicePermission('service.manage')
  list() {}

  @All('all')
  @RequireServicePermission('service.manage')
  @AllowAnonymousService()
  all() {}

  @Head('head')
  @applyDecoratorsOfBoth()
  head() {}

  @Sse('events')
  @applyDecoratorsOfBoth()
  events(): Observable<MessageEvent> {
    return of();
  }
}

function applyDecoratorsOfBoth(): MethodDecorator {
  return applyDecorators(AllowAnonymousService(), RequireServicePermission('session.read'));
}

/** Opens the method that it inherits, although the controller requires a permission for all of its routes. */
@UseGuards(...SERVICE_GUARDS)
class AnonymousMethodBase {
  @Get()
  @AllowAnonymousService()
  list() {}
}

@Controller('f')
@RequireServicePermission('service.manage')
class RequiresForInheritedMethod extends AnonymousMethodBase {}

function crud(): Type<Routes> {
  @UseGuards(...SERVICE_GUARDS)
  @AllowAnonymousService()
  class Crud extends Routes {}
  return mixin(Crud);
}

@Controller({ path: 'g', version: '1' })
@RequireServicePermission('service.manage')
class RequiresBelowMixin extends crud() {}

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

@Injectable()
class OwnPermissionGuard extends ServicePermissionGuard {}

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

@Controller('readers')
class Readers {
  @Get()
  session(@CurrentSession() session: Session) {
    return session;
  }

  @Get('attribute')
  @UseGuards(ServiceAuthGuard)
  attribute(@SessionAttribute('role') role: string) {
    return role;
  }

  @Get('service')
  @UseGuards(SessionGuard)
  service(@CurrentService() service: ServiceCredential) {
    return service;
  }

  @Get('own')
  @UseGuards(OwnPermissionGuard)
  @AllowAnonymousService()
  both(@CurrentService() service: ServiceCredential, @CurrentSession() session: Session) {
    return [service, session];
  }

  @Get('optional')
  @OptionalSession()
  optional(@CurrentSession() session?: Session) {
    return session;
  }
}

@Module({ controllers: [BothOnClass] })
class OtherModule {}

type Case = [what: string, controller: Type, faults: [route: string, fault: RegExp][]];

describe.each(ADAPTERS)('An application on %s', (_name, makeAdapter) => {
  afterEach(closeApps);

  async function make(metadata: ModuleMetadata): Promise<INestApplication> {
    const sessions = DistributedSessionModule.forRoot({
      serviceId: 'shop',
      storage: new InMemorySessionStorage(),
      isGlobal: true,
    });
    return makeApp({ ...metadata, imports: [sessions, ...(metadata.imports ?? [])] }, makeAdapter);
  }

  test.each<Case>([
    [
      'a controller that requires a permission below an anonymous class',
      RequiresBelowAnonymous,
      [['RequiresBelowAnonymous.list', CONTRADICT]],
    ],
    [
      'an anonymous controller below a class that requires a permission',
      AnonymousBelowRequiring,
      [['AnonymousBelowRequiring.list', CONTRADICT]],
    ],
    [
      'a controller that inherits the contradiction',
      InheritsContradiction,
      [['InheritsContradiction.list', CONTRADICT]],
    ],
    ['both decorators on one class', BothOnClass, [['BothOnClass.list', CONTRADICT]]],
    [
      'both decorators on one method, of any kind',
      BothOnMethod,
      ['list', 'all', 'head', 'events'].map((method) => [`BothOnMethod.${method}`, CONTRADICT]),
    ],
    [
      'a requirement above a method that is inherited as anonymous',
      RequiresForInheritedMethod,
      [['RequiresForInheritedMethod.list', CONTRADICT]],
    ],
    ['a versioned controller below an anonymous mixin', RequiresBelowMixin, [['RequiresBelowMixin.list', CONTRADICT]]],
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
    [
      'parameters that no guard assigns',
      Readers,
      [
        ['Readers.session', NO_SESSION],
        ['Readers.attribute', NO_SESSION],
        ['Readers.service', NO_SERVICE],
        ['Readers.both', NO_SERVICE],
        ['Readers.both', NO_SESSION],
        ['Readers.optional', NO_SESSION],
      ],
    ],
  ])('does not start with %s, and names the route', async (_what, controller, faults) => {
    const reported = await faultsOf(await make({ controllers: [controller] }));
    expect(reported.map((fault) => fault.split(': ')[0])).toEqual(faults.map(([route]) => route));
    for (const [index, [, fault]] of faults.entries()) expect(reported[index]).toMatch(fault);
  });

  test('reports each route once, although its controller belongs to several modules, and all faults at once', async () => {
    const other = RouterModule.register([{ path: 'other', module: OtherModule }]);
    const app = await make({ imports: [OtherModule, other], controllers: [BothOnClass, WrongOrder, Misspelt] });
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
    expect(await faultsOf(await make({ controllers: [Late], providers }))).toEqual([
      expect.stringMatching(/^Late\.list: ServicePermissionGuard requires ServiceAuthGuard before it/),
    ]);
    const app = await make({ controllers: [Late] });
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
    const { url } = await listen(await make({ controllers: [Own, Lobby] }));
    expect((await send(`${url}/own`)).json).toEqual({ service: 'key', session: null });
    expect((await send(`${url}/own/open`)).text).toBe('open');
    expect((await send(`${url}/lobby`)).status).toBe(401);
  });

  test('responds with 500 on a route that reads what its own guard did not assign, and passes no undefined to it', async () => {
    const seen: unknown[] = [];
    @Injectable()
    class ForgetfulGuard implements CanActivate {
      canActivate() {
        return true;
      }
    }
    @Controller()
    @UseGuards(ForgetfulGuard)
    class Forgetful {
      @Get('session')
      session(@CurrentSession() session: Session) {
        seen.push(session);
      }

      @Get('attribute')
      attribute(@SessionAttribute('role') role: string) {
        seen.push(role);
      }

      @Get('service')
      service(@CurrentService() service: ServiceCredential) {
        seen.push(service);
      }
    }
    const { url, sessions } = await listen(await make({ controllers: [Forgetful] }));
    const { credential } = await sessions.createSession('alice');
    for (const path of ['session', 'attribute', 'service']) {
      expect((await send(`${url}/${path}`, bearer(credential))).status).toBe(500);
    }
    expect(seen).toEqual([]);
  });
});

/** Starts the application, and returns the lines of its error. */
async function faultsOf(app: INestApplication): Promise<readonly string[]> {
  const error: unknown = await app.init().catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(OptionsError);
  return (error as OptionsError).errors;
}
