import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { LoggerService } from '@nestjs/common';
import {
  KeyUnavailableError,
  StorageCorruptError,
  StorageFullError,
  StorageNewerFormatError,
  StorageOutcomeUnknownError,
  StorageUnavailableError,
} from 'nestjs-distributed-session';
import { openApiDocument } from '../../src/openapi/openapi-document.js';
import { basic } from '../support/credential-headers.js';
import type { Answer } from '../support/http-request.js';
import { operationsIn } from '../support/openapi-operations.js';
import { type RunningService, SERVERS, startService, stopServices } from '../support/running-service.js';
import { clientOf } from '../support/service-client.js';
import { type OperationRequest, requestOf } from '../support/service-operations.js';
import { CANARY, refusalIn } from '../support/service-refusal.js';
import { stateOf } from '../support/service-state.js';
import { WatchedStorage } from '../support/watched-storage.js';

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
  ['ERR_STORAGE_NEWER_FORMAT', 503, new StorageNewerFormatError('Session id')],
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

describe.each(SERVERS)('On %s, the session service', (HTTP_ADAPTER) => {
  const logger = new HeldLog();
  let storage: WatchedStorage;
  let service: RunningService;
  /** One request of each operation. None is carried out, so they can be sent repeatedly. */
  let sent: OperationRequest[];
  let registered = 0;

  beforeAll(async () => {
    storage = new WatchedStorage();
    service = await startService({ variables: { HTTP_ADAPTER }, storage, logger });
    const operations = operationsIn(openApiDocument(service.app)).filter(({ path }) => path.startsWith('/v1/'));
    sent = await Promise.all(operations.map((operation) => requestOf(operation, service)));
  });

  afterAll(stopServices);

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
      expect(answers).toHaveLength(28);
      for (const [index, answer] of answers.entries()) {
        expect([asking[index]!.line, refusalIn(answer)]).toEqual([asking[index]!.line, { status, code }]);
        expect(answer.headers.get('retry-after')).toBe(status === 503 ? '1' : null);
      }
    },
  );

  test.each(FAILURES)(
    'answers %s with %d and not with 401 while it authenticates a caller',
    async (code, status, failure) => {
      const registration = { serviceId: `other-${++registered}`, serviceName: 'Other', permissions: [] };
      const { secret } = await service.sessions.registerService(registration);
      const credentials = [await register(), basic('unknown', secret), basic('unknown', 'an-unknown-secret')];
      const callers = credentials.map((headers) => clientOf(service, headers));
      const requests = sent.map(
        ({ line, body, headers }, index) =>
          () =>
            callers[index % 3]!(line, body, headers),
      );
      const answers = await whileFailing(failure, requests);
      expect(answers).toHaveLength(29);
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
    expect(line).toMatch(/ {4}at .*storage-failures\.e2e-spec\.ts:\d+:\d+/);
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
