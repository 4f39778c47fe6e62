import { inspect } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { LoggerService } from '@nestjs/common';
import {
  KeyUnavailableError,
  StorageCorruptError,
  StorageFullError,
  StorageOutcomeUnknownError,
  StorageUnavailableError,
} from 'nestjs-distributed-session';
import type { StorageHealth } from 'nestjs-distributed-session/storage';
import { openApiDocument } from '../../src/openapi/openapi-document.js';
import { basic, bearer } from '../support/credential-headers.js';
import { type Answer, send, sendRaw } from '../support/http-request.js';
import { operationsIn } from '../support/openapi-operations.js';
import { type RunningService, SERVERS, startService, stopServices } from '../support/running-service.js';
import { clientOf } from '../support/service-client.js';
import { type OperationRequest, requestOf } from '../support/service-operations.js';
import { CANARY, refusalIn } from '../support/service-refusal.js';
import { stateOf } from '../support/service-state.js';
import { WatchedStorage } from '../support/watched-storage.js';

/** A storage whose health can be set. */
class UnhealthyStorage extends WatchedStorage {
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

/** A driver's error, which contains the value to store in every place where such errors do. */
const driverError = Object.assign(new TypeError(`Cannot store ${CANARY}\n    at ${CANARY}`), {
  command: { name: 'set', args: [CANARY] },
  detail: CANARY,
  code: 'ECONNRESET',
  cause: new Error(CANARY),
});
const cause = driverError;

/** The storage's errors and their answers. A client may retry after a 503, but not after a 500. */
const FAILURES: readonly (readonly [code: string, status: 500 | 503, failure: Error])[] = [
  ['ERR_STORAGE_UNAVAILABLE', 503, new StorageUnavailableError(undefined, { cause })],
  ['ERR_STORAGE_OUTCOME_UNKNOWN', 503, new StorageOutcomeUnknownError(undefined, { cause })],
  ['ERR_STORAGE_FULL', 503, new StorageFullError(1)],
  ['ERR_KEY_UNAVAILABLE', 503, new KeyUnavailableError('key-1')],
  ['ERR_STORAGE_CORRUPT', 500, new StorageCorruptError('The record is not a session.', { cause })],
  ['ERR_INTERNAL', 500, driverError],
];

/** A log that keeps each line with all its arguments. */
class HeldLog implements LoggerService {
  readonly lines: string[] = [];
  readonly log = this.#hold();
  readonly warn = this.#hold();
  readonly error = this.#hold();
  readonly debug = this.#hold();

  #hold() {
    return (...given: unknown[]): void => void this.lines.push(inspect(given, { depth: 9 }));
  }
}

const down = () => Promise.reject(new StorageUnavailableError());

describe.each(SERVERS)('On %s, the session service', (HTTP_ADAPTER) => {
  const logger = new HeldLog();
  let storage: UnhealthyStorage;
  let service: RunningService;
  /** One request of each operation. None is carried out, so they can be sent repeatedly. */
  let sent: OperationRequest[];
  let registered = 0;

  beforeAll(async () => {
    storage = new UnhealthyStorage();
    service = await startService({ variables: { HTTP_ADAPTER }, storage, logger });
    const operations = operationsIn(openApiDocument(service.app)).filter(({ path }) => path.startsWith('/v1/'));
    sent = await Promise.all(operations.map((operation) => requestOf(operation, service)));
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

  test('accepts any bearer token on /health/ready, but refuses a wrong service credential', async () => {
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

  /** Sends requests while the storage fails, and verifies that they changed nothing. */
  async function whileFailing(failure: Error, requests: readonly (() => Promise<Answer>)[]): Promise<Answer[]> {
    const before = await stateOf(service);
    storage.failure = failure;
    const answers: Answer[] = [];
    for (const request of requests) answers.push(await request());
    storage.failure = undefined;
    expect(await stateOf(service)).toEqual(before);
    return answers;
  }

  const register = () => service.register(`caller-${++registered}`, '*');

  test.each(FAILURES)(
    'answers %s with %d from every operation to an authenticated caller',
    async (code, status, failure) => {
      const asking = sent.filter(({ line }) => line !== 'GET /v1/events');
      const caller = clientOf(service, await register());
      // Authenticated and cached, so that the operation itself fails.
      expect((await caller('GET /v1/counts')).status).toBe(200);
      const requests = asking.map(
        ({ line, body, headers }) =>
          () =>
            caller(line, body, headers),
      );
      const answers = await whileFailing(failure, requests);
      expect(answers).toHaveLength(24);
      for (const [index, answer] of answers.entries()) {
        expect([asking[index]!.line, refusalIn(answer)]).toEqual([asking[index]!.line, { status, code }]);
        expect(answer.headers.get('retry-after')).toBe(status === 503 ? '1' : null);
      }
    },
  );

  test.each(FAILURES)(
    'answers %s with %d and not with 401 while it authenticates a caller',
    async (code, status, failure) => {
      const credentials = [await register(), basic('unknown', 'dss_'), basic('unknown', 'an-unknown-secret')];
      const callers = credentials.map((headers) => clientOf(service, headers));
      const requests = sent.map(
        ({ line, body, headers }, index) =>
          () =>
            callers[index % 3]!(line, body, headers),
      );
      const answers = await whileFailing(failure, requests);
      expect(answers).toHaveLength(25);
      for (const answer of answers) {
        expect(refusalIn(answer)).toEqual({ status, code });
        expect(answer.headers.get('retry-after')).toBe(status === 503 ? '1' : null);
        expect(answer.headers.get('www-authenticate')).toBeNull();
      }
    },
  );

  test.each(FAILURES)('logs %s with its request id and without secrets', async (code, status, failure) => {
    const caller = clientOf(service, await register());
    const body = { loginId: 'alice', attributes: { role: CANARY } };
    const requests = [
      () => caller('GET /v1/counts', undefined, { 'x-request-id': `${code}-0` }),
      () => caller('POST /v1/sessions', body, { 'x-request-id': `${code}-1` }),
    ];
    await whileFailing(failure, requests);
    for (const index of requests.keys()) {
      const logged = logger.lines.filter((text) => text.includes(`${code}-${index}`));
      expect(logged.join('\n')).toContain(` ${status} ${code} `);
    }
    expect(logger.lines.filter((text) => text.includes(CANARY))).toEqual([]);
  });

  test('logs an unknown error with its name and stack', async () => {
    const caller = clientOf(service, await register());
    await whileFailing(driverError, [() => caller('GET /v1/counts', undefined, { 'x-request-id': 'unknown-error' })]);
    const [line = ''] = logger.lines.filter((text) => text.includes('Request unknown-error failed'));
    expect(line).toContain('TypeError ECONNRESET');
    expect(line).toMatch(/ {4}at .*health\.e2e-spec\.ts:\d+:\d+/);
    expect(line).not.toContain(CANARY);
  });

  test('recovers as soon as the storage does', async () => {
    const caller = clientOf(service, await register());
    const logIn = () => caller('POST /v1/sessions', { loginId: 'alice' });
    for (const [, status, failure] of FAILURES) {
      const [failed] = await whileFailing(failure, [logIn]);
      expect([failed!.status, (await logIn()).status]).toEqual([status, 201]);
    }
  });
});
