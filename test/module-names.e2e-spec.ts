import { Controller, Get, Inject, Injectable, Module, type ModuleMetadata, UseGuards } from '@nestjs/common';
import { APP_GUARD, Reflector } from '@nestjs/core';
import { TerminusModule } from '@nestjs/terminus';
import { afterEach, describe, expect, test } from '@jest/globals';
import {
  CurrentSession,
  DistributedSessionManager,
  DistributedSessionModule,
  InMemorySessionStorage,
  OnSessionEvent,
  OptionalSession,
  RESOLVED_OPTIONS,
  RequireServicePermission,
  type ResolvedOptions,
  ServiceAuthGuard,
  ServicePermissionGuard,
  type Session,
  SessionGuard,
} from 'nestjs-distributed-session';
import { DistributedSessionHealthIndicator } from 'nestjs-distributed-session/terminus';
import { ADAPTERS } from './support/adapters.js';
import { closeApps, makeApp } from './support/running-app.js';

const makeAdapter = ADAPTERS[0]![1];

function module(name?: string, isGlobal = true) {
  const storage = new InMemorySessionStorage();
  return DistributedSessionModule.forRoot({ serviceId: 'shop', storage, name, isGlobal });
}

/** Returns the error of an application with both modules. */
async function errorOf(metadata: ModuleMetadata, imports = [module(), module('admins')]): Promise<unknown> {
  try {
    const all = [...imports, ...(metadata.imports ?? [])];
    const app = await makeApp({ ...metadata, imports: all }, makeAdapter);
    await app.init();
    return undefined;
  } catch (error) {
    return error;
  }
}

const optionsError = (line: string) => expect.objectContaining({ code: 'ERR_OPTIONS', errors: [line] });

@Controller()
class PlainRoute {
  @Get()
  show() {
    return 'content';
  }
}

@UseGuards(SessionGuard.for('admni'))
class MisspeltSession extends PlainRoute {}
@UseGuards(ServiceAuthGuard.for('admni'))
class MisspeltService extends PlainRoute {}
@UseGuards(SessionGuard.for('admins'))
class AdminsRoute extends PlainRoute {}

@Controller()
class MisspeltDecorators {
  @Get('a')
  @RequireServicePermission('report.read', { module: 'admni' })
  permission() {}

  @Get('b')
  session(@CurrentSession({ module: 'admni' }) session: Session) {
    return session;
  }

  @Get('c')
  @UseGuards(ServicePermissionGuard.for('admni'))
  guard() {}

  @Get('d')
  @OptionalSession({ module: 'admni' })
  optional() {}
}

@Injectable()
class MixedGuard extends SessionGuard.for('admins') {
  constructor(
    sessions: DistributedSessionManager,
    reflector: Reflector,
    @Inject(RESOLVED_OPTIONS) options: ResolvedOptions,
  ) {
    super(sessions, reflector, options);
  }
}

@Injectable()
class OwnGuard extends SessionGuard {}

@UseGuards(MixedGuard)
class MixedRoute extends PlainRoute {}

@Module({})
class InnerModule {}

afterEach(closeApps);

describe('An application does not start', () => {
  const exist = 'The modules of this application: "admins", (without a name).';

  test.each<[string, ModuleMetadata, string]>([
    ['a guard', { controllers: [MisspeltSession] }, "SessionGuard.for('admni')"],
    ['a service guard', { controllers: [MisspeltService] }, "ServiceAuthGuard.for('admni')"],
    [
      'a global guard',
      { providers: [{ provide: APP_GUARD, useClass: SessionGuard.for('admni') }] },
      "SessionGuard.for('admni')",
    ],
    [
      'a guard of its own',
      { providers: [{ provide: APP_GUARD, useClass: OwnGuard.for('admni') }] },
      "OwnGuard.for('admni')",
    ],
    [
      'a health indicator',
      { imports: [TerminusModule], providers: [DistributedSessionHealthIndicator.for('admni')] },
      "DistributedSessionHealthIndicator.for('admni')",
    ],
  ])('with an unknown module in %s, and the error lists the modules', async (_where, metadata, subject) => {
    const line = `${subject} names the unknown module "admni". ${exist}`;
    expect(await errorOf(metadata)).toEqual(optionsError(line));
  });

  test('without any module, if a guard names one', async () => {
    const line = `SessionGuard.for('admni') names the unknown module "admni". The modules of this application: none.`;
    expect(await errorOf({ controllers: [MisspeltSession] }, [])).toEqual(optionsError(line));
  });

  test('with unknown modules in decorators', async () => {
    const error = await errorOf({ controllers: [MisspeltDecorators] });
    const fault = `a guard or decorator names the unknown module "admni". ${exist}`;
    const lines = ['permission', 'session', 'guard', 'optional'].map((name) => `MisspeltDecorators.${name}: ${fault}`);
    expect(error).toMatchObject({ errors: lines });
  });

  test('with a guard of a module that is not imported where it is used', async () => {
    const inner = { module: InnerModule, imports: [module('admins', false)] };
    const error = await errorOf({ controllers: [AdminsRoute] }, [module(), inner]);
    const line =
      `SessionGuard.for('admins') cannot inject the module "admins": import that module where it is used, or set its ` +
      'isGlobal to true.';
    expect(error).toEqual(optionsError(line));
  });

  test('with a listener of an unknown module', async () => {
    @Injectable()
    class Listener {
      @OnSessionEvent('session.ended', { module: 'admni' })
      onEnd() {}
    }
    const line = `Listener.onEnd listens to the module "admni". ${exist}`;
    expect(await errorOf({ providers: [Listener] })).toEqual(optionsError(line));
  });

  test('with a listener of the module without a name, if every module has one', async () => {
    @Injectable()
    class Listener {
      @OnSessionEvent('session.ended')
      onEnd() {}
    }
    const line = 'Listener.onEnd listens to the module without a name. The modules of this application: "admins".';
    expect(await errorOf({ providers: [Listener] }, [module('admins')])).toEqual(optionsError(line));
  });

  test('with a subclass of a named guard that injects what the module without a name exports', async () => {
    const error = await errorOf({ controllers: [MixedRoute] });
    expect(error).toEqual(
      optionsError(
        expect.stringMatching(/^MixedGuard extends SessionGuard\.for\('admins'\) and /) as unknown as string,
      ),
    );
  });
});
