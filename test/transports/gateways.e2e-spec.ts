import { once } from 'node:events';
import { type INestApplication, type Type, UseGuards, type WebSocketAdapter } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { IoAdapter } from '@nestjs/platform-socket.io';
import { WsAdapter } from '@nestjs/platform-ws';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
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
import { io } from 'socket.io-client';
import { WebSocket } from 'ws';
import { RecordingLogger } from '../support/recording-logger.js';
import { expectRefusalsLogged, refusalOver } from '../support/refusal.js';

const calls: string[] = [];

@WebSocketGateway()
class ChatGateway {
  @SubscribeMessage('session')
  @UseGuards(SessionGuard)
  session() {
    calls.push('session');
  }

  @SubscribeMessage('service')
  @UseGuards(ServiceAuthGuard)
  service() {
    calls.push('service');
  }

  @SubscribeMessage('permission')
  @UseGuards(ServicePermissionGuard)
  @RequireServicePermission('chat.write')
  permission() {
    calls.push('permission');
  }

  @SubscribeMessage('parameter')
  parameter(@CurrentSession() session: unknown) {
    calls.push(`parameter ${String(session)}`);
  }
}

/** One message in, and the payload of the `exception` that the client receives. */
type Ask = (event: string) => Promise<unknown>;

interface Client {
  readonly ask: Ask;
  close(): unknown;
}

async function nativeClient(url: string): Promise<Client> {
  const socket = new WebSocket(url.replace('http', 'ws'));
  await once(socket, 'open');
  const ask: Ask = async (event) => {
    const received = once(socket, 'message') as Promise<[Buffer]>;
    socket.send(JSON.stringify({ event, data: {} }));
    const [text] = await received;
    const answer = JSON.parse(text.toString()) as { event: string; data: unknown };
    expect(answer.event).toBe('exception');
    return answer.data;
  };
  return { ask, close: () => socket.terminate() };
}

async function socketIoClient(url: string): Promise<Client> {
  const socket = io(url, { transports: ['websocket'], reconnection: false });
  await new Promise<void>((resolve) => socket.once('connect', resolve));
  const ask: Ask = (event) => {
    const received = new Promise((resolve) => socket.once('exception', resolve));
    socket.emit(event, {});
    return received;
  };
  return { ask, close: () => socket.disconnect() };
}

const PLATFORMS: [string, (app: INestApplication) => WebSocketAdapter, (url: string) => Promise<Client>][] = [
  ['ws', (app) => new WsAdapter(app), nativeClient],
  ['socket.io', (app) => new IoAdapter(app), socketIoClient],
];

describe.each(PLATFORMS)('A gateway on %s', (_name, makeAdapter, connect) => {
  const open: { close(): unknown }[] = [];

  afterEach(async () => {
    calls.length = 0;
    for (const one of open.splice(0).toReversed()) await one.close();
  });

  async function start(globalGuards: readonly Type[] = []) {
    const logger = new RecordingLogger();
    const storage = new InMemorySessionStorage();
    const testing = Test.createTestingModule({
      imports: [DistributedSessionModule.forRoot({ serviceId: 'shop', storage })],
      providers: [ChatGateway, ...globalGuards.map((useClass) => ({ provide: APP_GUARD, useClass }))],
    });
    const app: INestApplication = (await testing.compile()).createNestApplication({ logger });
    open.push(app);
    app.useWebSocketAdapter(makeAdapter(app));
    await app.listen(0, '127.0.0.1');
    const { port } = app.getHttpServer().address() as { port: number };
    const client = await connect(`http://127.0.0.1:${port}`);
    open.push(client);
    return { logger, client };
  }

  test('refuses every guarded message, says why, and logs one line for each handler', async () => {
    const { logger, client } = await start();
    for (const event of ['session', 'service', 'permission', 'session', 'service', 'parameter']) {
      expect(await client.ask(event)).toEqual(refusalOver('ws'));
    }
    expect(calls).toEqual([]);
    expectRefusalsLogged(
      logger,
      [
        'SessionGuard refused a call of ChatGateway.session',
        'ServiceAuthGuard refused a call of ChatGateway.service',
        'ServicePermissionGuard refused a call of ChatGateway.permission',
      ],
      'ws',
    );
    expect(logger.with('These handlers refuse every call')).toEqual([
      expect.stringContaining('ChatGateway.parameter (ws, its parameters)'),
    ]);
  });

  test.each<[string, Type]>(
    [SessionGuard, ServiceAuthGuard, ServicePermissionGuard].map((guard) => [guard.name, guard]),
  )('refuses every message if %s is global', async (_guard, guard) => {
    const { logger, client } = await start([guard]);
    expect(await client.ask('parameter')).toEqual(refusalOver('ws'));
    expectRefusalsLogged(logger, [`${guard.name} refused a call of ChatGateway.parameter`], 'ws');
    expect(calls).toEqual([]);
  });
});
