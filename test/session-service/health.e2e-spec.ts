import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { InMemorySessionStorage, StorageUnavailableError } from 'nestjs-distributed-session';
import type { StorageHealth } from 'nestjs-distributed-session/storage';
import { basic, bearer } from '../support/credential-headers.js';
import { send, sendRaw } from '../support/http-request.js';
import { type RunningService, SERVERS, startService, stopServices } from '../support/running-service.js';

/** A storage whose health can be set. */
class PatientStorage extends InMemorySessionStorage {
  answer: (() => Promise<StorageHealth>) | undefined;
  lagMs = 0;

  override ping(): Promise<StorageHealth> {
    return this.answer ? this.answer() : super.ping();
  }

  override feedLagMs(): number {
    return this.lagMs;
  }
}

/** As a driver says it: with the password. */
const DRIVER_ERROR = Object.assign(new Error('connect ECONNREFUSED redis://admin:canary-password@10.0.0.1'), {
  command: { args: ['canary-payload'] },
});

const down = () => Promise.reject(new StorageUnavailableError());

describe.each(SERVERS)('health on %s', (HTTP_ADAPTER) => {
  let storage: PatientStorage;
  let service: RunningService;

  beforeAll(async () => {
    storage = new PatientStorage();
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
  ])('/health/live says ok without asking the store, which is %s', async (_how, answer) => {
    storage.answer = answer;
    const { status, json } = await send(`${service.url}/health/live`);
    expect([status, json]).toEqual([200, { status: 'ok' }]);
  });

  test('/health/ready says ok while the store is up', async () => {
    const { status, json } = await send(`${service.url}/health/ready`);
    expect(status).toBe(200);
    expect(json).toMatchObject({ status: 'ok', details: { sessions: { status: 'up' } } });
  });

  test('/health/ready says degraded, and why, and stays 200, while the store takes no writes', async () => {
    storage.answer = async () => ({ writable: false, notes: ['holds its maximum'] });
    const { status, json } = await send(`${service.url}/health/ready`);
    expect(status).toBe(200);
    const notes = ['sessions cannot be created or changed', 'holds its maximum'];
    expect(json).toMatchObject({ status: 'degraded', details: { sessions: { status: 'degraded', notes } } });
  });

  test('/health/ready says degraded while the news of other processes is late', async () => {
    storage.lagMs = Infinity;
    const { status, json } = await send(`${service.url}/health/ready`);
    expect(status).toBe(200);
    expect(json).toMatchObject({
      status: 'degraded',
      details: { sessions: { notes: [expect.stringMatching('late')] } },
    });
  });

  test.each([
    ['refuses', down],
    ['does not answer in time', () => new Promise<never>(() => undefined)],
    ['breaks', () => Promise.reject(DRIVER_ERROR)],
  ])(
    '/health/ready is 503 with the result of the check while the store %s, and ok again after it',
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

  test.each(['/health/live', '/health/ready'])('%s asks for no credential, and a HEAD has no body', async (path) => {
    for (const method of ['GET', 'HEAD']) {
      const { status, text } = await send(service.url + path, {}, method);
      expect([status, text === '']).toEqual([200, method === 'HEAD']);
    }
  });

  test('a credential is not asked for, but a wrong one is refused like everywhere', async () => {
    expect((await send(`${service.url}/health/ready`, service.administrator)).status).toBe(200);
    expect((await send(`${service.url}/health/ready`, bearer('of somebody else'))).status).toBe(200);
    expect((await send(`${service.url}/health/ready`, basic('admin', 'wrong'))).status).toBe(401);
  });

  test('tells nothing of what a driver says, nor where the store is', async () => {
    storage.answer = () => Promise.reject(DRIVER_ERROR);
    const answer = await sendRaw(service.url, '/health/ready');
    expect(answer.status).toBe(503);
    const told = answer.text + JSON.stringify([...answer.headers]);
    for (const hidden of ['canary', 'ECONNREFUSED', '10.0.0.1', '    at ']) expect(told).not.toContain(hidden);
  });

  test('nobody keeps an answer', async () => {
    for (const path of ['/health/live', '/health/ready']) {
      expect((await send(service.url + path)).headers.get('cache-control')).toMatch('no-store');
    }
    storage.answer = down;
    expect((await send(`${service.url}/health/ready`)).headers.get('cache-control')).toMatch('no-store');
  });

  test('refuses what it does not take', async () => {
    expect((await send(`${service.url}/health/ready?verbose=true`)).status).toBe(400);
    const posted = await send(`${service.url}/health/ready`, {}, 'POST');
    expect([posted.status, posted.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });
});
