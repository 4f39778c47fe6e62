import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { InMemorySessionStorage, StorageUnavailableError } from 'nestjs-distributed-session';
import type { StorageHealth } from 'nestjs-distributed-session/storage';
import { basic, bearer } from '../support/credential-headers.js';
import { send, sendRaw } from '../support/http-request.js';
import { type RunningService, SERVERS, startService, stopServices } from '../support/running-service.js';

/** A storage whose health can be set. */
class UnhealthyStorage extends InMemorySessionStorage {
  answer: (() => Promise<StorageHealth>) | undefined;
  lagMs = 0;

  override ping(): Promise<StorageHealth> {
    return this.answer ? this.answer() : super.ping();
  }

  override feedLagMs(): number {
    return this.lagMs;
  }
}

/** A driver's error, which contains the password. */
const connectionError = Object.assign(new Error('connect ECONNREFUSED redis://admin:canary-password@10.0.0.1'), {
  command: { args: ['canary-payload'] },
});

const down = () => Promise.reject(new StorageUnavailableError());

describe.each(SERVERS)('On %s, the session service', (HTTP_ADAPTER) => {
  let storage: UnhealthyStorage;
  let service: RunningService;

  beforeAll(async () => {
    storage = new UnhealthyStorage();
    service = await startService({ variables: { HTTP_ADAPTER }, storage });
  });

  afterEach(() => {
    storage.answer = undefined;
    storage.lagMs = 0;
  });

  afterAll(stopServices);

  test.each([
    ['up', undefined],
    ['down', down],
    ['silent', () => new Promise<never>(() => undefined)],
  ])('answers /health/live with ok without a storage call, while the storage is %s', async (_how, answer) => {
    storage.answer = answer;
    const { status, json } = await send(`${service.url}/health/live`);
    expect([status, json]).toEqual([200, { status: 'ok' }]);
  });

  test('answers /health/ready with ok while the storage is up', async () => {
    const { status, json } = await send(`${service.url}/health/ready`);
    expect(status).toBe(200);
    expect(json).toMatchObject({ status: 'ok', details: { sessions: { status: 'up' } } });
  });

  test('answers /health/ready with 200, degraded and the reasons while the storage accepts no writes', async () => {
    storage.answer = async () => ({ writable: false, notes: ['holds its maximum'] });
    const { status, json } = await send(`${service.url}/health/ready`);
    expect(status).toBe(200);
    const notes = ['sessions cannot be created or changed', 'holds its maximum'];
    expect(json).toMatchObject({ status: 'degraded', details: { sessions: { status: 'degraded', notes } } });
  });

  test('answers /health/ready with degraded while the change feed lags', async () => {
    storage.lagMs = Infinity;
    const { status, json } = await send(`${service.url}/health/ready`);
    expect(status).toBe(200);
    expect(json).toMatchObject({
      status: 'degraded',
      details: { sessions: { notes: [expect.stringMatching('lags behind')] } },
    });
  });

  test.each([
    ['fails', down],
    ['does not answer in time', () => new Promise<never>(() => undefined)],
    ['throws an unknown error', () => Promise.reject(connectionError)],
  ])(
    'answers /health/ready with 503 and the result while the storage %s, and with ok afterwards',
    async (_how, answer) => {
      storage.answer = answer;
      const { status, json, headers } = await send(`${service.url}/health/ready`);
      expect(status).toBe(503);
      expect(headers.get('content-type')).toMatch(/^application\/json/);
      expect(json).toMatchObject({ status: 'error', error: { sessions: { status: 'down' } }, info: {} });
      expect(Object.keys(json as object).toSorted()).toEqual(['details', 'error', 'info', 'status']);
      storage.answer = undefined;
      expect((await send(`${service.url}/health/ready`)).json).toMatchObject({ status: 'ok' });
    },
  );

  test.each(['/health/live', '/health/ready'])(
    'answers %s without a credential, and HEAD without a body',
    async (path) => {
      for (const method of ['GET', 'HEAD']) {
        const { status, text } = await send(service.url + path, {}, method);
        expect([status, text === '']).toEqual([200, method === 'HEAD']);
      }
    },
  );

  test('accepts any bearer token on /health/ready, but rejects a wrong service credential', async () => {
    expect((await send(`${service.url}/health/ready`, service.administrator)).status).toBe(200);
    expect((await send(`${service.url}/health/ready`, bearer('of-another-service'))).status).toBe(200);
    expect((await send(`${service.url}/health/ready`, basic('admin', 'wrong'))).status).toBe(401);
  });

  test("reveals neither the driver's message nor the storage's address on /health/ready", async () => {
    storage.answer = () => Promise.reject(connectionError);
    const answer = await sendRaw(service.url, '/health/ready');
    expect(answer.status).toBe(503);
    const received = answer.text + JSON.stringify([...answer.headers]);
    for (const hidden of ['canary', 'ECONNREFUSED', '10.0.0.1', '    at ']) expect(received).not.toContain(hidden);
  });

  test('forbids caches to store health answers', async () => {
    for (const path of ['/health/live', '/health/ready']) {
      expect((await send(service.url + path)).headers.get('cache-control')).toMatch('no-store');
    }
    storage.answer = down;
    expect((await send(`${service.url}/health/ready`)).headers.get('cache-control')).toMatch('no-store');
  });

  test('rejects unknown query parameters and other methods on /health/ready', async () => {
    expect((await send(`${service.url}/health/ready?verbose=true`)).status).toBe(400);
    const posted = await send(`${service.url}/health/ready`, {}, 'POST');
    expect([posted.status, posted.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });
});
