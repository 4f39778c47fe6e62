import { Controller, Get, NotFoundException, Query } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  type DistributedSessionError,
  DistributedSessionExceptionFilter,
  DistributedSessionManager,
  KeyUnavailableError,
  ServiceAuthenticationError,
  StorageCorruptError,
  StorageFullError,
  StorageOutcomeUnknownError,
  StorageUnavailableError,
} from 'nestjs-distributed-session';
import { ADAPTERS } from './support/adapters.js';
import { send } from './support/http-request.js';
import { type RunningApp, closeApps, startSessionApp } from './support/running-app.js';
import { WatchedStorage } from './support/watched-storage.js';

const UNKNOWN_ID = '00000000-0000-4000-8000-000000000000';
const GATEWAY = {
  serviceId: 'gateway',
  serviceName: 'Gateway',
  permissions: ['session.read:cart.*', 'session.write:cart.*'],
};

type Act = (sessions: DistributedSessionManager, alice: string) => unknown;

/** What a handler does wrong, by a name, and the status and fields of the answer. */
const FAULTS: Record<string, { act: Act; status: number; fields: object }> = {
  'an unknown session': {
    act: (sessions) => sessions.getSession(UNKNOWN_ID),
    status: 404,
    fields: { code: 'ERR_SESSION_NOT_FOUND' },
  },
  'an ended session': {
    act: async (sessions) => {
      const { sessionId } = await sessions.createSession('bob');
      await sessions.kickOut(sessionId);
      return sessions.getSession(sessionId);
    },
    status: 410,
    fields: { code: 'ERR_SESSION_ENDED', reason: 'kicked-out', endedAt: expect.any(Number) },
  },
  'a stale update': {
    act: async (sessions, alice) => {
      const session = await sessions.getSession(alice);
      const { version } = await sessions.setAttribute(alice, 'visits', session.version);
      const update = sessions.updateSession({ ...session, attributes: { visits: 0 } });
      return update.finally(() => version);
    },
    status: 409,
    fields: { code: 'ERR_SESSION_CONFLICT', currentVersion: expect.any(Number) },
  },
  'one session too many': {
    act: async (sessions) => {
      await sessions.createSession('carol');
      await sessions.createSession('carol');
      return sessions.createSession('carol');
    },
    status: 409,
    fields: { code: 'ERR_SESSION_LIMIT', limit: 2 },
  },
  'a bad argument': {
    act: (sessions) => sessions.createSession('x'.repeat(257)),
    status: 400,
    fields: { code: 'ERR_SESSION_INPUT', field: 'loginId', constraint: 'length', limit: 256 },
  },
  'a malformed id': {
    act: (sessions) => sessions.getSession('../etc/passwd'),
    status: 400,
    fields: { code: 'ERR_SESSION_INPUT', field: 'sessionId', constraint: 'format', limit: 36 },
  },
  'a bad service': {
    act: (sessions) => sessions.registerService({ ...GATEWAY, permissions: ['session.*.all'] }),
    status: 400,
    fields: { code: 'ERR_SERVICE_INPUT', field: 'permissions[0]' },
  },
  'an unknown service': {
    act: (sessions) => sessions.rotateServiceSecret('nobody'),
    status: 404,
    fields: { code: 'ERR_SERVICE_NOT_FOUND' },
  },
  'a service that is there already': {
    act: async (sessions) => {
      await sessions.registerService(GATEWAY, { replace: true });
      return sessions.registerService(GATEWAY);
    },
    status: 409,
    fields: { code: 'ERR_SERVICE_EXISTS' },
  },
  'a forbidden write': {
    act: (sessions, alice) => sessions.as(GATEWAY).setAttribute(alice, 'role', 'admin'),
    status: 403,
    fields: { code: 'ERR_SERVICE_PERMISSION', permission: 'session.write:role' },
  },
  'a wrong secret': {
    act: (sessions) => sessions.verifyService('gateway', 'no such secret'),
    status: 401,
    fields: { code: 'ERR_SERVICE_AUTHENTICATION' },
  },
};

@Controller()
class FaultyController {
  constructor(private readonly sessions: DistributedSessionManager) {}

  @Get('fault')
  async fault(@Query('name') name: string, @Query('session') alice: string) {
    await FAULTS[name]!.act(this.sessions, alice);
    return 'no fault';
  }

  @Get('alice')
  async alice() {
    return (await this.sessions.getSessionsByLoginId('alice')).map(({ loginId }) => loginId);
  }

  @Get('other')
  other() {
    throw new NotFoundException('no such page');
  }
}

describe.each(ADAPTERS)('DistributedSessionExceptionFilter on %s', (_name, makeAdapter) => {
  let storage: WatchedStorage;
  let shop: RunningApp;
  let alice: string;

  beforeAll(async () => {
    storage = new WatchedStorage();
    const options = { serviceId: 'shop', storage, maxSessionsPerLogin: 2, onLimit: 'reject' as const };
    const providers = [{ provide: APP_FILTER, useClass: DistributedSessionExceptionFilter }];
    shop = await startSessionApp(makeAdapter, options, { controllers: [FaultyController], providers });
    ({ sessionId: alice } = await shop.sessions.createSession('alice'));
  });

  afterAll(closeApps);

  test.each(Object.entries(FAULTS).map(([name, { status, fields }]) => [name, status, fields] as const))(
    'answers %s with %i, its code and its fields, and without a stack',
    async (name, status, fields) => {
      const answer = await send(`${shop.url}/fault?${new URLSearchParams({ name, session: alice }).toString()}`);
      expect(answer.status).toBe(status);
      expect(answer.json).toEqual({ statusCode: status, message: expect.any(String), ...fields });
      expect(answer.text).not.toMatch(/stack|\.ts:|node_modules|cause/);
      expect(answer.headers.get('retry-after')).toBeNull();
    },
  );

  test.each<[string, DistributedSessionError, number, string | null]>([
    ['a storage that is down', new StorageUnavailableError(), 503, '1'],
    ['a reply that was lost', new StorageOutcomeUnknownError(), 503, '1'],
    ['a storage that is full', new StorageFullError(5), 503, '1'],
    ['a key that is missing', new KeyUnavailableError('k1'), 503, '1'],
    ['a corrupt record', new StorageCorruptError('The stored session is corrupt.'), 500, null],
    ['too many attempts', new ServiceAuthenticationError(1_500), 429, '2'],
  ])('answers %s with its status and Retry-After', async (_fault, error, status, retryAfter) => {
    storage.failure = error;
    const answer = await send(`${shop.url}/alice`);
    storage.failure = undefined;
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([status, retryAfter]);
    expect(answer.json).toEqual({ statusCode: status, code: error.code, message: expect.any(String) });
    expect(answer.text).not.toMatch(/stack|\.ts:|node_modules|cause/);
    expect((await send(`${shop.url}/alice`)).json).toEqual(['alice']);
  });

  test('says nothing of the cause of an error', async () => {
    storage.failure = new StorageUnavailableError(undefined, { cause: new Error('redis://admin:canary@10.0.0.1') });
    const answer = await send(`${shop.url}/alice`);
    storage.failure = undefined;
    expect(answer.status).toBe(503);
    expect(answer.text).not.toContain('canary');
  });

  test('leaves other exceptions as they are', async () => {
    const answer = await send(`${shop.url}/other`);
    expect(answer.json).toEqual({ statusCode: 404, error: 'Not Found', message: 'no such page' });
  });
});
