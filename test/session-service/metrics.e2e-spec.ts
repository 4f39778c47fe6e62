import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { InMemorySessionStorage, type SessionCounts, StorageUnavailableError } from 'nestjs-distributed-session';
import { FakeClock } from 'nestjs-distributed-session/testing';
import { basic } from '../support/credential-headers.js';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import { send } from '../support/http-request.js';
import { type Sample, parseMetrics } from '../support/prometheus-text.js';
import { type RunningService, SERVERS, startService, stopServices } from '../support/running-service.js';

const OPERATIONS = 'operation_duration_seconds';

/** A storage with a settable feed lag and a slow count. */
class LateStorage extends InMemorySessionStorage {
  lagMs = 0;
  isDown = false;

  override async count(): Promise<SessionCounts> {
    await new Promise((resolve) => setImmediate(resolve));
    if (this.isDown) throw new StorageUnavailableError();
    return super.count();
  }

  override feedLagMs(): number {
    return this.lagMs;
  }
}

describe.each(SERVERS)('On %s, GET /metrics', (HTTP_ADAPTER) => {
  const clock = new FakeClock();
  let storage: LateStorage;
  let service: RunningService;
  let caller: Record<string, string>;

  beforeAll(async () => {
    storage = new LateStorage({ clock });
    service = await startService({ variables: { HTTP_ADAPTER }, storage });
    caller = await service.register('caller', 'session.read', 'session.create', 'service.read');
  });

  afterAll(stopServices);

  const scrape = async () => parseMetrics((await send(`${service.url}/metrics`)).text);

  /** Values of one answer; 0 for an absent one. */
  const valuesOf = async (...wanted: (readonly [name: string, labels?: Record<string, string>])[]) => {
    const samples = await scrape();
    return wanted.map(([name, labels = {}]) => {
      const sample = samples.find((each) => each.name === `session_service_${name}` && matches(each, labels));
      return sample?.value ?? 0;
    });
  };

  const online = () => valuesOf(['sessions_online'], ['logins_online'], ['storage_up']);
  const touches = () => {
    const results = ['written', 'coalesced', 'dropped', 'failed'];
    return valuesOf(...results.map((result) => ['touches_total', { result }] as const));
  };
  const failures = () => {
    const subjects = ['service', 'session'];
    return valuesOf(...subjects.map((subject) => ['verification_failures_total', { subject }] as const));
  };
  const requests = async (operation: string, outcome: string) =>
    (await valuesOf([`${OPERATIONS}_count`, { operation, outcome }]))[0]!;

  const verify = (credential: string) => call('POST', '/v1/sessions/verify', { credential });

  const call = async (method: string, path: string, body?: object, headers = caller) => {
    const type = body && { 'content-type': 'application/json' };
    const sent = { method, headers: { ...headers, ...type }, ...(body && { body: JSON.stringify(body) }) };
    const answer = await fetch(service.url + path, sent);
    await answer.arrayBuffer();
    return answer.status;
  };

  test('returns the Prometheus text format, which must not be cached', async () => {
    const answer = await send(`${service.url}/metrics`);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(answer.headers.get('cache-control')).toBe('no-store');
    const names = new Set(parseMetrics(answer.text).map(({ name }) => name));
    for (const name of ['sessions_online', 'logins_online', 'storage_up', 'feed_lag_seconds', 'event_streams']) {
      expect(names).toContain(`session_service_${name}`);
    }
    expect(names).toContain('process_resident_memory_bytes');
  });

  test.each([
    ['createSession', 'ok', 201, () => call('POST', '/v1/sessions', { loginId: 'alice' })],
    ['createSession', 'ERR_REQUEST_INPUT', 400, () => call('POST', '/v1/sessions', { loginId: 7 })],
    ['createSession', 'ERR_SERVICE_AUTHENTICATION', 401, () => call('POST', '/v1/sessions', { loginId: 'alice' }, {})],
    ['countOnline', 'ERR_SERVICE_PERMISSION', 403, () => call('GET', '/v1/counts')],
    ['getSession', 'ERR_SESSION_NOT_FOUND', 404, () => call('GET', `/v1/sessions/${crypto.randomUUID()}`)],
    ['none', 'ERR_ROUTE_NOT_FOUND', 404, () => call('GET', '/v1/nothing')],
    ['none', 'ERR_METHOD_NOT_ALLOWED', 405, () => call('PUT', '/v1/counts')],
    [
      'none',
      'ERR_REQUEST_CONTENT_TYPE',
      415,
      () => call('POST', '/v1/sessions', {}, { ...caller, 'content-encoding': 'gzip' }),
    ],
    ['getLiveness', 'ok', 200, () => call('GET', '/health/live', undefined, {})],
  ])('counts %s with the outcome %s', async (operation, outcome, status, request) => {
    const before = await requests(operation, outcome);
    expect(await request()).toBe(status);
    await eventually(async () => (await requests(operation, outcome)) > before);
    expect(await requests(operation, outcome)).toBe(before + 1);
  });

  test('measures durations of requests in seconds, in buckets', async () => {
    const startedAt = performance.now();
    await call('GET', '/v1/services');
    const listed = { operation: 'listServices', outcome: 'ok' };
    await eventually(async () => (await requests('listServices', 'ok')) > 0);
    const samples = (await scrape()).filter((sample) => matches(sample, listed));
    const buckets = samples.filter(({ name }) => name === `session_service_${OPERATIONS}_bucket`);
    const counts = buckets.map(({ value }) => value);
    expect(counts).toEqual(counts.toSorted((a, b) => a - b));
    expect(counts.at(-1)).toBe(1);
    expect(buckets.map(({ labels }) => labels['le'])).toEqual(expect.arrayContaining(['0.001', '5', '+Inf']));
    const sum = samples.find(({ name }) => name === `session_service_${OPERATIONS}_sum`)?.value;
    expect(sum).toBeGreaterThan(0);
    expect(sum).toBeLessThan((performance.now() - startedAt) / 1_000);
  });

  test('returns how many sessions and users are online', async () => {
    await service.sessions.deleteAllSessions('alice');
    expect(await online()).toEqual([0, 0, 1]);
    for (const loginId of ['alice', 'alice', 'bob']) await service.sessions.createSession(loginId);
    expect(await online()).toEqual([3, 2, 1]);
    await service.sessions.deleteAllSessions('alice');
    expect(await online()).toEqual([1, 1, 1]);
    await service.sessions.deleteAllSessions('bob');
    expect(await online()).toEqual([0, 0, 1]);
  });

  test('counts session touches by result', async () => {
    const { sessionId } = await service.sessions.createSession('carol');
    const [written = 0, coalesced = 0, dropped, failed] = await touches();
    await service.sessions.getSession(sessionId);
    expect(await touches()).toEqual([written, coalesced + 1, dropped, failed]);
    clock.advance(10 * 60_000);
    await call('GET', `/v1/sessions/${sessionId}`);
    await eventually(async () => (await touches())[0] === written + 1);
    clock.advance(10 * 60_000);
    await call('GET', `/v1/sessions/${sessionId}?touch=false`);
    expect(await touches()).toEqual([written + 1, coalesced + 1, dropped, failed]);
  });

  test.each([
    [0, 0],
    [1_500, 1.5],
    [Infinity, Infinity],
  ])('returns a feed lag of %d ms in seconds', async (lagMs, seconds) => {
    storage.lagMs = lagMs;
    expect(await valuesOf(['feed_lag_seconds'])).toEqual([seconds]);
  });

  test('counts failed verifications of services and of sessions', async () => {
    const { credential, sessionId } = await service.sessions.createSession('dave');
    const [ofServices = 0, ofSessions = 0] = await failures();
    const { secret } = await service.sessions.rotateServiceSecret('caller');
    caller = basic('caller', secret);
    expect(await call('GET', '/v1/counts', undefined, basic('unknown', secret))).toBe(401);
    expect(await call('POST', '/v1/services/verify', { serviceId: 'unknown', secret })).toBe(422);
    expect(await verify(`${sessionId}.wrong`)).toBe(404);
    expect(await verify('malformed')).toBe(400);
    expect(await verify(credential)).toBe(200);
    await service.sessions.deleteSession(sessionId);
    expect(await verify(credential)).toBe(410);
    expect(await call('GET', `/v1/sessions/${sessionId}`)).toBe(410);
    expect(await call('POST', '/v1/sessions/verify', { credential: 7 })).toBe(400);
    await eventually(async () => (await failures())[1] === ofSessions + 3);
    expect(await failures()).toEqual([ofServices + 2, ofSessions + 3]);
  });

  test('contains no ids, names or values', async () => {
    const canary = {
      loginId: 'canary-login',
      token: 'canary-token-0123456789abcdef',
      attributes: { 'canary-key': 'canary' },
    };
    const everything = service.administrator;
    await call('POST', '/v1/sessions', canary, everything);
    await call('POST', '/v1/services', { serviceId: 'canary-id', serviceName: 'canary', permissions: [] }, everything);
    await call('GET', '/v1/logins/canary-login/sessions?limit=canary', undefined, everything);
    await call('DELETE', '/v1/services/canary-id', undefined, everything);
    await call('GET', '/canary/canary?canary=canary', undefined, {
      'x-request-id': 'canary',
      ...basic('canary', 'canary'),
    });
    await eventually(async () => (await requests('revokeService', 'ok')) > 0);
    expect((await send(`${service.url}/metrics`)).text).not.toContain('canary');
    const labels = new Set((await scrape()).flatMap(({ labels: each }) => Object.keys(each)));
    for (const name of ['operation', 'outcome', 'subject', 'result']) labels.delete(name);
    expect(
      [...labels].filter(
        (name) => !['le', 'space', 'type', 'kind', 'version', 'major', 'minor', 'patch'].includes(name),
      ),
    ).toEqual([]);
  });

  test('returns storage_up 0 and unknown counts while the storage is down', async () => {
    storage.isDown = true;
    try {
      expect((await send(`${service.url}/metrics`)).status).toBe(200);
      storage.isDown = false;
      await scrape();
      storage.isDown = true;
      expect(await online()).toEqual([NaN, NaN, 0]);
    } finally {
      storage.isDown = false;
    }
    expect(await online()).toEqual([expect.any(Number), expect.any(Number), 1]);
  });
});

function matches({ labels }: Sample, expected: Record<string, string>): boolean {
  return Object.entries(expected).every(([name, value]) => labels[name] === value);
}
