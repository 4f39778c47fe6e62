import {
  All,
  Controller,
  Get,
  Head,
  type MessageEvent,
  Sse,
  type Type,
  UseGuards,
  applyDecorators,
  mixin,
} from '@nestjs/common';
import { afterEach, describe, expect, test } from '@jest/globals';
import { type Observable, of } from 'rxjs';
import { AllowAnonymousService, RequireServicePermission } from 'nestjs-distributed-session';
import { ADAPTERS } from './support/adapters.js';
import { BothOnClass, Routes, SERVICE_GUARDS } from './support/guarded-routes.js';
import { closeApps } from './support/running-app.js';
import { type FaultyCase, faultsOf, linesOf, makeShop } from './support/startup-faults.js';

const CONTRADICT = /@AllowAnonymousService\(\) and @RequireServicePermission\(\) contradict each other on /;

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
describe.each(ADAPTERS)('An application on %s', (_name, makeAdapter) => {
  afterEach(closeApps);

  test.each<FaultyCase>([
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
  ])('does not start with %s, and names the route', async (_what, controller, faults) => {
    const app = await makeShop({ controllers: [controller] }, makeAdapter);
    expect(await faultsOf(app)).toEqual(linesOf(faults));
  });
});
