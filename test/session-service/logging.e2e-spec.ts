import { once } from 'node:events';
import { request } from 'node:http';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { StorageUnavailableError } from 'nestjs-distributed-session';
import { readEnvironment } from '../../src/config/read-environment.js';
import { ServiceLogger } from '../../src/logging/service-logger.js';
import { CapturedOutput } from '../support/captured-output.js';
import { basic } from '../support/credential-headers.js';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import { send, sendRaw } from '../support/http-request.js';
import { type RunningService, SERVERS, startService, stopServices } from '../support/running-service.js';
import { WatchedStorage } from '../support/watched-storage.js';

const UUID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/;

/** Starts the service with the logger of its environment. */
function startLogging(variables: Record<string, string>, storage = new WatchedStorage()): Promise<RunningService> {
  return startService({ variables, storage, logger: new ServiceLogger(readEnvironment(variables)) });
}

function linesOf({ json }: CapturedOutput) {
  return json.filter(({ context }) => context === 'Request');
}

describe.each(SERVERS)('On %s, the request log', (HTTP_ADAPTER) => {
  let output: CapturedOutput;
  let storage: WatchedStorage;
  let service: RunningService;

  beforeAll(async () => {
    output = new CapturedOutput();
    storage = new WatchedStorage();
    service = await startLogging({ HTTP_ADAPTER, LOG_FORMAT: 'json', LOG_LEVEL: 'debug' }, storage);
  });

  beforeEach(() => {
    output.text = '';
  });

  afterEach(() => {
    storage.failure = undefined;
  });

  afterAll(async () => {
    await stopServices();
    output.release();
  });

  /** The request lines, once there are this many: a line is written after the answer. */
  const requestLines = async (count = 1) => {
    await eventually(() => linesOf(output).length >= count);
    return linesOf(output);
  };

  test('has one line per request with its operation, caller and outcome', async () => {
    await send(`${service.url}/v1/counts`, service.administrator);
    expect(await requestLines()).toEqual([
      {
        level: 'log',
        pid: process.pid,
        timestamp: expect.any(Number),
        context: 'Request',
        message: {
          method: 'GET',
          operation: 'countOnline',
          status: 200,
          milliseconds: expect.any(Number),
          serviceId: 'admin',
          requestId: expect.stringMatching(UUID),
        },
      },
    ]);
  });

  test('contains the code of a rejection, but not an unauthenticated service id', async () => {
    await send(`${service.url}/v1/counts`, basic('admin', 'wrong'));
    await send(`${service.url}/v1/nothing?token=x`, service.administrator);
    const [refused, lost] = (await requestLines(2)).map(({ message }) => message);
    expect(refused).toMatchObject({ operation: 'countOnline', status: 401, code: 'ERR_SERVICE_AUTHENTICATION' });
    expect(refused).not.toHaveProperty('serviceId');
    expect(lost).toMatchObject({ method: 'GET', status: 404, code: 'ERR_ROUTE_NOT_FOUND' });
    expect(Object.keys(lost as object).toSorted()).toEqual(['code', 'method', 'milliseconds', 'requestId', 'status']);
  });

  test.each([
    ['debug', '/health/live', 200],
    ['debug', '/health/ready', 200],
    ['debug', '/metrics', 200],
    ['log', '/v1/counts', 401],
  ])('has the level %s for %s', async (level, path, status) => {
    await send(service.url + path);
    expect(await requestLines()).toMatchObject([{ level, message: { status } }]);
  });

  test('has the level error for failures of the service or its storage, including probes', async () => {
    storage.failure = new StorageUnavailableError();
    await send(`${service.url}/v1/counts`, basic('unknown', 'x'.repeat(20)));
    await send(`${service.url}/health/ready`);
    expect(await requestLines(2)).toMatchObject([
      { level: 'error', message: { status: 503, code: 'ERR_STORAGE_UNAVAILABLE' } },
      { level: 'error', message: { status: 503, operation: 'getReadiness' } },
    ]);
  });

  test('contains the stack of an unknown error, but not its message', async () => {
    storage.failure = Object.assign(new TypeError('canary\n    at canary (canary:1:1)'), {
      code: 'ECONNREFUSED',
      command: 'canary',
    });
    const answer = await send(`${service.url}/v1/counts`, {
      ...basic('unknown', 'x'.repeat(20)),
      'x-request-id': 'mine',
    });
    expect(answer.json).toMatchObject({ status: 500, code: 'ERR_INTERNAL', requestId: 'mine' });
    expect(await requestLines()).toMatchObject([{ level: 'error', message: { status: 500, code: 'ERR_INTERNAL' } }]);
    const [failure] = output.json.filter(({ context }) => context === 'ProblemFilter');
    expect(failure).toMatchObject({ level: 'error', message: 'Request mine failed with an unexpected error.' });
    expect(failure?.['stack']).toMatch(/^TypeError ECONNREFUSED\n {4}at .*logging\.e2e-spec/);
    expect(output.text + answer.text).not.toContain('canary');
  });

  test('contains 499 for a client that disconnected before the answer', async () => {
    const answering = new AbortController();
    storage.held.set(
      'listByLogin',
      once(answering.signal, 'abort').then(() => undefined),
    );
    const path = `${service.url}/v1/logins/alice/sessions`;
    const leaving = request(path, { headers: service.administrator, agent: false }).end();
    leaving.once('error', () => undefined);
    await eventually(() => storage.calls.includes('listByLogin'));
    leaving.destroy();
    expect(await requestLines()).toMatchObject([{ level: 'log', message: { status: 499, operation: 'listSessions' } }]);
    answering.abort();
    await eventually(() => storage.calls.includes('listByLogin done'));
    expect(await requestLines()).toHaveLength(1);
  });

  test('contains an event stream when it ends', async () => {
    const stream = request(`${service.url}/v1/events`, { headers: service.administrator, agent: false }).end();
    await once(stream, 'response');
    expect(output.json).toEqual([]);
    stream.destroy();
    expect(await requestLines()).toMatchObject([{ level: 'log', message: { status: 200, operation: 'streamEvents' } }]);
  });

  test.each(['a', 'A-Z_0.9:z', '4bf92f3577b34da6a3ce929d0e0e4736', 'i'.repeat(128)])(
    "uses the client's request id, like the answer and the problem: %s",
    async (id) => {
      const headers = { 'x-request-id': id };
      const answers = [
        await send(`${service.url}/health/live`, headers),
        await send(`${service.url}/v1/counts`, headers),
        await send(`${service.url}/v1/nothing`, headers),
      ];
      expect(answers.map((answer) => answer.headers.get('x-request-id'))).toEqual([id, id, id]);
      expect(answers.slice(1).map(({ json }) => (json as { requestId: string }).requestId)).toEqual([id, id]);
      const logged = (await requestLines(3)).map(({ message }) => (message as { requestId: string }).requestId);
      expect(logged).toEqual([id, id, id]);
    },
  );

  test.each([undefined, '', ' ', 'i'.repeat(129), 'with a space', 'a/b', 'a\tb', '{"a":1}', 'ä', '<script>', 'a,b'])(
    'contains a generated request id if the client sent none or an invalid one: %j',
    async (given) => {
      const header = given === undefined ? [] : [['X-Request-Id', Buffer.from(given).toString('latin1')] as const];
      const answer = await sendRaw(service.url, '/v1/counts', header);
      const id = answer.headers.get('x-request-id');
      expect(id).toMatch(UUID);
      expect(answer.json).toMatchObject({ requestId: id });
      expect(await requestLines()).toMatchObject([{ message: { requestId: id } }]);
    },
  );

  test('contains a generated request id if the client sent two, which is rejected', async () => {
    const answer = await sendRaw(service.url, '/v1/counts', [
      ['X-Request-Id', 'a'],
      ['X-Request-Id', 'b'],
    ]);
    expect(answer).toMatchObject({ status: 400, json: { code: 'ERR_REQUEST_HEADER', field: 'x-request-id' } });
    expect(answer.headers.get('x-request-id')).toMatch(UUID);
    expect(await requestLines()).toMatchObject([{ message: { status: 400, code: 'ERR_REQUEST_HEADER' } }]);
  });

  test('contains a different generated request id for each request', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => send(`${service.url}/health/live`)));
    expect(new Set(answers.map(({ headers }) => headers.get('x-request-id'))).size).toBe(20);
    expect(await requestLines(20)).toHaveLength(20);
  });
});

describe('The text log', () => {
  let output: CapturedOutput;

  afterEach(async () => {
    await stopServices();
    output.release();
  });

  test('has one readable line per request', async () => {
    output = new CapturedOutput();
    const service = await startLogging({ LOG_FORMAT: 'text' });
    await send(`${service.url}/v1/counts`, { ...service.administrator, 'x-request-id': 'mine' });
    await send(`${service.url}/health/live`);
    await send(`${service.url}/v1/nothing`, { 'x-request-id': 'lost' });
    await eventually(() => output.text.includes('lost'));
    const lines = output.lines.filter((line) => line.includes('[Request]'));
    expect(lines).toEqual([
      expect.stringMatching(/^\[sessions\] \d+ .* LOG \[Request\] GET countOnline 200 [\d.]+ admin mine$/),
      expect.stringMatching(/ LOG \[Request\] GET 404 ERR_ROUTE_NOT_FOUND [\d.]+ lost$/),
    ]);
  });

  test('omits lines below its level', async () => {
    output = new CapturedOutput();
    const storage = new WatchedStorage();
    const service = await startLogging({ LOG_LEVEL: 'error' }, storage);
    await send(`${service.url}/v1/counts`, service.administrator);
    storage.failure = new StorageUnavailableError();
    await send(`${service.url}/v1/counts`, basic('unknown', 'x'.repeat(20)));
    await eventually(() => output.lines.length > 0);
    expect(output.lines).toEqual([expect.stringMatching(/ ERROR \[Request\] GET countOnline 503 /)]);
  });
});
