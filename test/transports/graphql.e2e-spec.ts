import { type Type, UseGuards } from '@nestjs/common';
import { ApolloDriver, type ApolloDriverConfig } from '@nestjs/apollo';
import { APP_GUARD } from '@nestjs/core';
import { GraphQLModule, Mutation, Query, Resolver } from '@nestjs/graphql';
import { Test } from '@nestjs/testing';
import { afterEach, describe, expect, test } from '@jest/globals';
import {
  CurrentSession,
  DistributedSessionModule,
  InMemorySessionStorage,
  RequireServicePermission,
  ServiceAuthGuard,
  ServicePermissionGuard,
  SessionGuard,
} from 'nestjs-distributed-session';
import { closeApps, listen } from '../support/running-app.js';
import { RecordingLogger } from '../support/recording-logger.js';
import { expectRefusalsLogged, refusalOver } from '../support/refusal.js';

const calls: string[] = [];

@Resolver()
class OrdersResolver {
  @Query(() => String)
  @UseGuards(SessionGuard)
  session() {
    calls.push('session');
    return 'content';
  }

  @Mutation(() => String)
  @UseGuards(ServiceAuthGuard)
  service() {
    calls.push('service');
    return 'content';
  }

  @Query(() => String)
  @UseGuards(ServicePermissionGuard)
  @RequireServicePermission('order.read')
  permission() {
    calls.push('permission');
    return 'content';
  }

  @Query(() => String)
  parameter(@CurrentSession() session: unknown) {
    calls.push(`parameter ${String(session)}`);
    return 'content';
  }
}

async function start(globalGuards: readonly Type[] = []) {
  const logger = new RecordingLogger();
  const testing = Test.createTestingModule({
    imports: [
      DistributedSessionModule.forRoot({ serviceId: 'shop', storage: new InMemorySessionStorage() }),
      GraphQLModule.forRoot<ApolloDriverConfig>({ driver: ApolloDriver, autoSchemaFile: true }),
    ],
    providers: [OrdersResolver, ...globalGuards.map((useClass) => ({ provide: APP_GUARD, useClass }))],
  });
  const { url } = await listen((await testing.compile()).createNestApplication({ logger }));
  const ask = async (query: string) => {
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(`${url}/graphql`, { method: 'POST', headers, body: JSON.stringify({ query }) });
    const { errors } = (await response.json()) as { errors: { message: string; extensions: object }[] };
    return errors.map(({ message, extensions }) => ({ message, extensions }));
  };
  return { logger, ask };
}

describe('A GraphQL resolver', () => {
  afterEach(async () => {
    calls.length = 0;
    await closeApps();
  });

  const { code, message, transport } = refusalOver('graphql') as Record<string, string>;
  const refused = [{ message, extensions: expect.objectContaining({ code, transport }) }];

  test('refuses every guarded query and mutation, says why, and logs one line for each handler', async () => {
    const { logger, ask } = await start();
    for (const query of ['{ session }', 'mutation { service }', '{ permission }', '{ session }', '{ parameter }']) {
      expect(await ask(query)).toEqual(refused);
    }
    expect(calls).toEqual([]);
    expectRefusalsLogged(
      logger,
      [
        'SessionGuard refused a call of OrdersResolver.session',
        'ServiceAuthGuard refused a call of OrdersResolver.service',
        'ServicePermissionGuard refused a call of OrdersResolver.permission',
      ],
      'graphql',
    );
    expect(logger.with('These handlers refuse every call')).toEqual([
      expect.stringContaining('OrdersResolver.service (graphql, ServiceAuthGuard)'),
    ]);
  });

  test.each<[string, Type]>(
    [SessionGuard, ServiceAuthGuard, ServicePermissionGuard].map((guard) => [guard.name, guard]),
  )('is refused if %s is global', async (_guard, guard) => {
    const { logger, ask } = await start([guard]);
    expect(await ask('{ parameter }')).toEqual(refused);
    expectRefusalsLogged(logger, [`${guard.name} refused a call of OrdersResolver.parameter`], 'graphql');
    expect(calls).toEqual([]);
  });
});
