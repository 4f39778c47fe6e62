import {
  type CanActivate,
  type ClassProvider,
  Controller,
  type ExecutionContext,
  type FactoryProvider,
  Get,
  Injectable,
  type INestApplication,
  Module,
  type ModuleMetadata,
  Post,
  type Type,
  UseGuards,
} from '@nestjs/common';
import { APP_GUARD, Reflector } from '@nestjs/core';
import { afterEach, describe, expect, test } from '@jest/globals';
import {
  AllowAnonymousService,
  DistributedSessionManager,
  DistributedSessionModule,
  InMemorySessionStorage,
  OptionsError,
  RequireServicePermission,
  ServiceAuthGuard,
  ServicePermissionGuard,
  SessionGuard,
  forSomeAttributes,
} from 'nestjs-distributed-session';
import { ADAPTERS } from './support/adapters.js';
import { bearer } from './support/credential-headers.js';
import { send } from './support/http-request.js';
import { closeApps, listen, makeApp } from './support/running-app.js';

@Injectable()
class StricterGuard extends ServicePermissionGuard {}

@Controller('plain')
class PlainController {
  @Get()
  forgotten() {
    return [];
  }

  @Get('declared')
  @RequireServicePermission('session.read')
  declared() {
    return [];
  }

  /** Not a route, so it needs no declaration. */
  compute() {
    return [];
  }
}

@Controller('class')
@UseGuards(ServiceAuthGuard, ServicePermissionGuard)
class GuardedClassController extends PlainController {
  @Post()
  alsoForgotten() {
    return [];
  }
}

@Controller('method')
class GuardedMethodController {
  @Get()
  @UseGuards(ServicePermissionGuard)
  forgotten() {
    return [];
  }

  @Get('unguarded')
  unguarded() {
    return [];
  }
}

@Controller('instance')
@UseGuards(new ServicePermissionGuard(new Reflector()))
class InstanceController {
  @Get()
  forgotten() {
    return [];
  }
}

@Controller('subclass')
@UseGuards(StricterGuard)
class SubclassController {
  @Get()
  forgotten() {
    return [];
  }
}

@Controller('inherited')
class InheritingController extends SubclassController {}

/** A route without a declaration of its own. */
class SingleRoute {
  @Get()
  list() {
    return [];
  }
}

@Controller('declared')
@UseGuards(ServiceAuthGuard, ServicePermissionGuard)
class DeclaredController {
  @Get()
  @RequireServicePermission(forSomeAttributes('session.read'))
  onMethod() {
    return [];
  }

  @Get('anonymous')
  @AllowAnonymousService()
  anonymous() {
    return [];
  }
}

@Controller('declared-class')
@UseGuards(ServiceAuthGuard, ServicePermissionGuard)
@RequireServicePermission('session.read')
class DeclaredClassController extends SingleRoute {}

@Controller('anonymous-class')
@UseGuards(ServicePermissionGuard)
@AllowAnonymousService()
class AnonymousClassController extends SingleRoute {}

@Controller('session')
@UseGuards(SessionGuard)
class SessionOnlyController extends SingleRoute {}

@Injectable()
class CombinedGuard implements CanActivate {
  constructor(
    private readonly auth: ServiceAuthGuard,
    private readonly permission: ServicePermissionGuard,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    return (await this.auth.canActivate(context)) && this.permission.canActivate(context);
  }
}

@Controller('hidden')
@UseGuards(CombinedGuard)
class HiddenController extends SingleRoute {}

@Module({ controllers: [SubclassController] })
class InnerModule {
  constructor(readonly sessions: DistributedSessionManager) {}
}

const DECLARED = [DeclaredController, DeclaredClassController, AnonymousClassController];

describe.each(ADAPTERS)('An application on %s', (_name, makeAdapter) => {
  afterEach(closeApps);

  async function make(metadata: ModuleMetadata): Promise<INestApplication> {
    const sessions = DistributedSessionModule.forRoot({ serviceId: 'shop', storage: new InMemorySessionStorage() });
    return makeApp({ ...metadata, imports: [sessions] }, makeAdapter);
  }

  test.each<[string, Type, string[]]>([
    [
      'on its class',
      GuardedClassController,
      ['GuardedClassController.alsoForgotten', 'GuardedClassController.forgotten'],
    ],
    ['on its method', GuardedMethodController, ['GuardedMethodController.forgotten']],
    ['as an instance', InstanceController, ['InstanceController.forgotten']],
    ['as a subclass', SubclassController, ['SubclassController.forgotten']],
    ['on its parent class', InheritingController, ['InheritingController.forgotten']],
  ])('does not start with an undeclared route under ServicePermissionGuard %s', async (_where, controller, routes) => {
    expect(await undeclaredIn(await make({ controllers: [controller] }))).toEqual(routes);
  });

  test.each<[string, Omit<ClassProvider, 'provide'> | Omit<FactoryProvider, 'provide'> | { useValue: CanActivate }]>([
    ['useClass', { useClass: ServicePermissionGuard }],
    ['useClass and a subclass', { useClass: StricterGuard }],
    [
      'useFactory',
      { useFactory: (reflector: Reflector) => new ServicePermissionGuard(reflector), inject: [Reflector] },
    ],
    ['useValue', { useValue: new ServicePermissionGuard(new Reflector()) }],
  ])('does not start with an undeclared route under APP_GUARD and %s', async (_how, guard) => {
    const app = await make({ controllers: [PlainController], providers: [{ provide: APP_GUARD, ...guard }] });
    expect(await undeclaredIn(app)).toEqual(['PlainController.forgotten']);
  });

  test('does not start with an undeclared route under useGlobalGuards()', async () => {
    const app = await make({ controllers: [PlainController] });
    app.useGlobalGuards(new ServicePermissionGuard(app.get(Reflector)));
    expect(await undeclaredIn(app)).toEqual(['PlainController.forgotten']);
  });

  test('reports all undeclared routes of all modules at once', async () => {
    const sessions = DistributedSessionModule.forRoot({ serviceId: 'shop', storage: new InMemorySessionStorage() });
    const inner = { module: InnerModule, imports: [sessions] };
    const app = await makeApp({ imports: [sessions, inner], controllers: [GuardedMethodController] }, makeAdapter);
    expect(await undeclaredIn(app)).toEqual(['GuardedMethodController.forgotten', 'SubclassController.forgotten']);
  });

  test('starts if every route has @RequireServicePermission() or @AllowAnonymousService()', async () => {
    const app = await make({ controllers: [...DECLARED, SessionOnlyController] });
    const { url } = await listen(app);
    expect((await send(`${url}/declared`)).status).toBe(401);
    expect((await send(`${url}/anonymous-class`)).status).toBe(200);
  });

  test('starts with both service guards as APP_GUARD if all routes are declared', async () => {
    const providers = [ServiceAuthGuard, ServicePermissionGuard].map((useClass) => ({ provide: APP_GUARD, useClass }));
    await expect(make({ controllers: DECLARED, providers }).then((app) => app.init())).resolves.toBeDefined();
  });

  test('responds with 403 on an undeclared route whose guard is called by another guard', async () => {
    const app = await make({ controllers: [HiddenController], providers: [ServiceAuthGuard, ServicePermissionGuard] });
    const { url, sessions } = await listen(app);
    const gateway = { serviceId: 'gateway', serviceName: 'Gateway', permissions: ['*'] };
    const { secret } = await sessions.registerService(gateway);
    const answer = await send(`${url}/hidden`, bearer(secret));
    expect(answer.status).toBe(403);
    expect(answer.json).toMatchObject({
      code: 'ERR_SERVICE_PERMISSION',
      message: expect.stringMatching(/^This route declares no permission\. Add @RequireServicePermission\(\)/),
    });
  });
});

/** Starts the application, and returns the routes that its error names as undeclared, in alphabetical order. */
async function undeclaredIn(app: INestApplication): Promise<string[]> {
  const error: unknown = await app.init().catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(OptionsError);
  expect(error).toMatchObject({ code: 'ERR_OPTIONS', message: expect.stringContaining('declare no permission') });
  const undeclared = (error as OptionsError).errors.filter((line) => line.includes('declare no permission'));
  return undeclared.map((line) => line.split(':')[0]!).toSorted();
}
