import { Controller, type INestApplication, Injectable, Scope, type Type, UseGuards } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import {
  type ClientProxy,
  ClientProxyFactory,
  EventPattern,
  MessagePattern,
  type MicroserviceOptions,
  Transport,
} from '@nestjs/microservices';
import { Test } from '@nestjs/testing';
import { afterEach, describe, expect, test } from '@jest/globals';
import {
  AllowAnonymousService,
  CurrentService,
  CurrentSession,
  DistributedSessionModule,
  InMemorySessionStorage,
  RequireServicePermission,
  ServiceAuthGuard,
  ServicePermissionGuard,
  SessionGuard,
} from 'nestjs-distributed-session';
import { lastValueFrom } from 'rxjs';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import { freePort } from '@distributed-session/test-servers/free-port.js';
import { RecordingLogger } from '../support/recording-logger.js';
import { expectRefusalsLogged, refusalOver } from '../support/refusal.js';

const calls: string[] = [];

/** Nest creates it for each message. */
@Injectable({ scope: Scope.REQUEST })
class ScopedGuard extends SessionGuard {}

@Controller()
class Orders {
  @MessagePattern('session')
  @UseGuards(SessionGuard)
  session() {
    calls.push('session');
  }

  @MessagePattern('service')
  @UseGuards(ServiceAuthGuard.for('admins'))
  service() {
    calls.push('service');
  }

  @MessagePattern('permission')
  @UseGuards(ServicePermissionGuard)
  @RequireServicePermission('order.read')
  permission() {
    calls.push('permission');
  }

  @MessagePattern('scoped')
  @UseGuards(ScopedGuard)
  scoped() {
    calls.push('scoped');
  }

  @EventPattern('event')
  @UseGuards(SessionGuard)
  event(order: unknown) {
    calls.push(`event ${String(order)}`);
  }
}

@Controller()
class Parameters {
  @MessagePattern('parameters')
  parameters(@CurrentSession() session: unknown, @CurrentService() service: unknown) {
    calls.push(`parameters ${String(session)} ${String(service)}`);
  }
}

@Controller()
class Open {
  @MessagePattern('open')
  open() {
    return 'open';
  }

  @MessagePattern('anonymous')
  @UseGuards(ServicePermissionGuard)
  @AllowAnonymousService()
  anonymous() {
    return 'anonymous';
  }
}

const GUARDED = ['session', 'service', 'permission', 'scoped'];

async function answer(client: ClientProxy, pattern: string): Promise<unknown> {
  return lastValueFrom(client.send(pattern, {})).catch((error: unknown) => error);
}

describe('An application that also receives messages over TCP', () => {
  const open: { close(): unknown }[] = [];

  afterEach(async () => {
    calls.length = 0;
    for (const one of open.splice(0).toReversed()) await one.close();
  });

  async function start(globalGuards: readonly Type[] = [], inheritAppConfig = false) {
    const logger = new RecordingLogger();
    const modules = [undefined, 'admins'].map((name) =>
      DistributedSessionModule.forRoot({ name, serviceId: 'shop', storage: new InMemorySessionStorage() }),
    );
    const testing = Test.createTestingModule({
      imports: modules,
      controllers: [Orders, Parameters, Open],
      providers: globalGuards.map((useClass) => ({ provide: APP_GUARD, useClass })),
    });
    const app: INestApplication = (await testing.compile()).createNestApplication({ logger });
    open.push(app);
    const tcp = { transport: Transport.TCP as const, options: { host: '127.0.0.1', port: await freePort() } };
    app.connectMicroservice<MicroserviceOptions>(tcp, { inheritAppConfig });
    await app.startAllMicroservices();
    await app.init();
    const client = ClientProxyFactory.create(tcp);
    open.push(client);
    return { logger, client };
  }

  test('refuses every call of a guarded handler, says why, and logs one line for each handler', async () => {
    const { logger, client } = await start();
    for (const pattern of [...GUARDED, ...GUARDED, ...GUARDED]) {
      expect(await answer(client, pattern)).toEqual(refusalOver('rpc'));
    }
    expect(calls).toEqual([]);
    expectRefusalsLogged(
      logger,
      [
        'SessionGuard refused a call of Orders.session',
        "ServiceAuthGuard.for('admins') refused a call of Orders.service",
        'ServicePermissionGuard refused a call of Orders.permission',
        'ScopedGuard refused a call of Orders.scoped',
      ],
      'rpc',
    );
  });

  test('logs the refusal of an event, which has no answer', async () => {
    const { logger, client } = await start();
    client.emit('event', {}).subscribe();
    await eventually(() => logger.with('Orders.event over "rpc"').length > 0);
    expect(await answer(client, 'open')).toBe('open');
    expect(calls).toEqual([]);
  });

  test('refuses a handler that injects what no guard can assign', async () => {
    const { client } = await start();
    expect(await answer(client, 'parameters')).toEqual(refusalOver('rpc'));
    expect(calls).toEqual([]);
  });

  test('still calls handlers without guards, and those that declare that they need no service', async () => {
    const { client } = await start();
    expect(await answer(client, 'open')).toBe('open');
    expect(await answer(client, 'anonymous')).toBe('anonymous');
  });

  test.each<[string, Type]>(
    [SessionGuard, ServiceAuthGuard, ServicePermissionGuard].map((guard) => [guard.name, guard]),
  )('refuses all handlers if %s is global and applies to them', async (_name, guard) => {
    const { logger, client } = await start([guard], true);
    expect(await answer(client, 'open')).toEqual(refusalOver('rpc'));
    expectRefusalsLogged(logger, [`${guard.name} refused a call of Open.open`], 'rpc');
  });

  test('refuses a message in a microservice without HTTP', async () => {
    const logger = new RecordingLogger();
    const testing = Test.createTestingModule({
      imports: [DistributedSessionModule.forRoot({ serviceId: 'shop', storage: new InMemorySessionStorage() })],
      controllers: [Open],
      providers: [{ provide: APP_GUARD, useClass: SessionGuard }],
    });
    const tcp = { transport: Transport.TCP as const, options: { host: '127.0.0.1', port: await freePort() } };
    const service = (await testing.compile()).createNestMicroservice<MicroserviceOptions>({ ...tcp, logger });
    open.push(service);
    await service.listen();
    const client = ClientProxyFactory.create(tcp);
    open.push(client);
    expect(await answer(client, 'open')).toEqual(refusalOver('rpc'));
    expectRefusalsLogged(logger, ['SessionGuard refused a call of Open.open'], 'rpc');
  });

  test('logs at the start which handlers will refuse every call', async () => {
    const { logger } = await start();
    expect(logger.with('These handlers refuse every call')).toEqual([
      expect.stringContaining(
        'Orders.session (rpc, SessionGuard), Orders.service (rpc, ServiceAuthGuard), ' +
          'Orders.permission (rpc, ServicePermissionGuard), Orders.scoped (rpc, SessionGuard), Orders.event (rpc, SessionGuard), ' +
          'Parameters.parameters (rpc, its parameters). Use a guard of your own there',
      ),
    ]);
  });
});
