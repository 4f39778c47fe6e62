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

/** Calls that fail, with the status and fields of the response. */
const FAILURES: Record<string, { act: Act; status: number; fields: object }> = {
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
      await sessions.setAttribute(alice, 'visits', session.version);
      return sessions.updateSession({ ...session, attributes: { visits: 0 } });
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
  'an invalid argument': {
    act: (sessions) => sessions.createSession('x'.repeat(257)),
    status: 400,
    fields: { code: 'ERR_SESSION_INPUT', field: 'loginId', constraint: 'length', limit: 256 },
  },
  'a malformed session id': {
    act: (sessions) => sessions.getSession('../etc/passwd'),
    status: 400,
    fields: { code: 'ERR_SESSION_INPUT', field: 'sessionId', constraint: 'format', limit: 36 },
  },
  'an invalid permission': {
    act: (sessions) => sessions.registerService({ ...GATEWAY, permissions: ['session.*.all'] }),
    status: 400,
    fields: { code: 'ERR_SERVICE_INPUT', field: 'permissions[0]' },
  },
  'an unknown service': {
    act: (sessions) => sessions.rotateServiceSecret('unknown'),
    status: 404,
    fields: { code: 'ERR_SERVICE_NOT_FOUND' },
  },
  'a registered service id': {
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
    act: (sessions) => sessions.verifyService('gateway', 'a wrong secret'),
    status: 401,
    fields: { code: 'ERR_SERVICE_AUTHENTICATION' },
  },
};

@Controller()
class FailingController {
  constructor(private readonly sessions: DistributedSessionManager) {}

  @Get('fail')
  async fail(@Query('name') name: string, @Query('session') alice: string) {
    await FAILURES[name]!.act(this.sessions, alice);
    return 'no error';
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
    shop = await startSessionApp(makeAdapter, options, { controllers: [FailingController], providers });
    ({ sessionId: alice } = await shop.sessions.createSession('alice'));
  });

  afterAll(closeApps);

  test.each(Object.entries(FAILURES).map(([name, { status, fields }]) => [name, status, fields] as const))(
    'responds to %s with %i, its code and its fields, but no stack trace',
    async (name, status, fields) => {
      const answer = await send(`${shop.url}/fail?${new URLSearchParams({ name, session: alice }).toString()}`);
      expect(answer.status).toBe(status);
      expect(answer.json).toEqual({ statusCode: status, message: expect.any(String), ...fields });
      expect(answer.text).not.toMatch(/stack|\.ts:|node_modules|cause/);
      expect(answer.headers.get('retry-after')).toBeNull();
    },
  );

  test.each<[string, DistributedSessionError, number, string | null]>([
    ['an unavailable storage', new StorageUnavailableError(), 503, '1'],
    ['a lost reply', new StorageOutcomeUnknownError(), 503, '1'],
    ['a full storage', new StorageFullError(5), 503, '1'],
    ['a missing key', new KeyUnavailableError('k1'), 503, '1'],
    ['a corrupt record', new StorageCorruptError('The stored session is corrupt.'), 500, null],
    ['too many failed attempts', new ServiceAuthenticationError(1_500), 429, '2'],
  ])('responds to %s with its status and Retry-After', async (_failure, error, status, retryAfter) => {
    storage.failure = error;
    const answer = await send(`${shop.url}/alice`);
    storage.failure = undefined;
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([status, retryAfter]);
    expect(answer.json).toEqual({ statusCode: status, code: error.code, message: expect.any(String) });
    expect(answer.text).not.toMatch(/stack|\.ts:|node_modules|cause/);
    expect((await send(`${shop.url}/alice`)).json).toEqual(['alice']);
  });

  test('does not expose the cause of an error', async () => {
    storage.failure = new StorageUnavailableError(undefined, { cause: new Error('redis://admin:canary@10.0.0.1') });
    const answer = await send(`${shop.url}/alice`);
    storage.failure = undefined;
    expect(answer.status).toBe(503);
    expect(answer.text).not.toContain('canary');
  });

  test('does not handle other exceptions', async () => {
    const answer = await send(`${shop.url}/other`);
    expect(answer.json).toEqual({ statusCode: 404, error: 'Not Found', message: 'no such page' });
  });
});
