import { createHash } from 'node:crypto';
import { afterEach, describe, expect, test } from '@jest/globals';
import { StorageCorruptError, StorageUnavailableError } from 'nestjs-distributed-session';
import { readEnvironment } from '../../src/config/read-environment.js';
import { ServiceLogger } from '../../src/logging/service-logger.js';
import { CapturedOutput } from '../support/captured-output.js';
import { type RequestHeaders, basic, bearer, serviceHeaders } from '../support/credential-headers.js';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import { type RunningService, SERVERS, startService, stopServices } from '../support/running-service.js';
import { WatchedStorage } from '../support/watched-storage.js';

/** Part of everything that must not be logged, and of nothing else. */
const CANARY = 'canary';
const JSON_TYPE = { 'content-type': 'application/json' };

/** A driver's error, with the storage's password and the value to store. */
const DRIVER_ERROR = Object.assign(new Error(`connect ECONNREFUSED redis://admin:${CANARY}@10.0.0.1`), {
  command: { name: 'set', args: [CANARY, `{"attributes":{"role":"${CANARY}"}}`] },
});

interface Issued {
  readonly sessionId: string;
  readonly credential: string;
  readonly token: string;
  readonly secret: string;
}

const FORMATS = SERVERS.flatMap(([server]) => ['json', 'text'].map((format) => [server, format] as const));

describe.each(FORMATS)('On %s, the complete log as %s', (HTTP_ADAPTER, LOG_FORMAT) => {
  let output: CapturedOutput;
  let storage: WatchedStorage;
  let service: RunningService;

  afterEach(async () => {
    await stopServices();
    output.release();
  });

  const call = async (
    method: string,
    path: string,
    body?: unknown,
    headers: RequestHeaders = service.administrator,
  ) => {
    const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
    const sent = { method, headers: { ...(text !== undefined && JSON_TYPE), ...headers }, body: text };
    const answer = await fetch(service.url + path, sent);
    return (await answer.json().catch(() => ({}))) as Issued;
  };

  /** Sends valid requests of every kind, and returns the issued secrets. */
  const sendValid = async () => {
    const attributes = { [`${CANARY}-key`]: CANARY, role: CANARY };
    const client = { ip: CANARY, userAgent: CANARY };
    const own = await call('POST', '/v1/sessions', {
      loginId: 'alice',
      token: `${CANARY}-token-0123456789abcdef`,
      attributes,
      client,
    });
    const drawn = await call('POST', '/v1/sessions', { loginId: 'alice', device: 'web', attributes });
    const { sessionId } = drawn;
    await call('POST', '/v1/sessions/verify', { credential: own.credential });
    await call('PUT', `/v1/sessions/${sessionId}/attributes/${CANARY}-key`, { value: CANARY });
    await call('GET', `/v1/sessions/${sessionId}/attributes/${CANARY}-key`);
    await call('PATCH', `/v1/sessions/${sessionId}/attributes`, { set: { role: CANARY }, remove: [`${CANARY}-key`] });
    await call('PUT', `/v1/sessions/${sessionId}`, { attributes }, { ...service.administrator, 'if-match': '"3"' });
    const rotated = await call('POST', `/v1/sessions/${sessionId}/rotate`, { actor: CANARY });
    const registration = { serviceId: 'order', serviceName: CANARY, permissions: ['session.read'] };
    const registered = await call('POST', '/v1/services', registration);
    const renewed = await call('POST', '/v1/services/order/secrets');
    await call('POST', '/v1/services/verify', { serviceId: 'order', secret: renewed.secret, source: CANARY });
    await call('GET', '/v1/logins/alice/sessions', undefined, bearer(registered.secret));
    await call('DELETE', '/v1/logins/alice/sessions');
    await call('POST', '/v1/sessions/verify', { credential: own.credential });
    await call('GET', '/v1/logins/alice/history');
    return [drawn.token, rotated.token, own.credential, registered.secret, renewed.secret];
  };

  /** Sends secrets in every wrong place. */
  const sendMisplaced = async (secrets: readonly string[]) => {
    for (const secret of secrets) {
      const text = encodeURIComponent(secret);
      await call('GET', `/v1/sessions/${text}`);
      await call('GET', `/${text}/${text}`);
      await call('GET', `/v1/counts?token=${text}&${text}=1`);
      await call('GET', `/v1/events?type=${text}&lastEventId=${text}`);
      await call('GET', `/v1/sessions/%zz${text}`);
      await call('DELETE', `/v1/services/${text}/secrets/${text}`);
      await call('POST', `/v1/sessions/verify/${text}`, { credential: secret });
      await call('POST', '/v1/sessions/verify', { credential: `${secret}.`, [secret]: secret });
      await call('POST', '/v1/sessions', `{"loginId":"alice","token":"${secret}`);
      await call('POST', '/v1/sessions', { loginId: { [secret]: secret }, token: `${secret} ` });
      await call('POST', '/v1/sessions', secret, { ...service.administrator, 'content-type': `text/${secret}` });
      await call('GET', '/v1/counts', undefined, basic('admin', `${secret}!`));
      await call('GET', '/v1/counts', undefined, basic(`admin/${secret}`, secret));
      await call('GET', '/v1/counts', undefined, bearer(`${secret}!`));
      await call('GET', '/v1/counts', undefined, serviceHeaders('admin', `${secret}!`));
      await call('GET', '/metrics', undefined, bearer(secret));
      const headers = { 'x-request-id': `${secret} ${secret}`, 'if-match': secret, 'idempotency-key': `${secret} ` };
      await call(
        'PUT',
        '/v1/sessions/00000000-0000-4000-8000-000000000000',
        { attributes: {} },
        { ...service.administrator, ...headers },
      );
      await call('POST', '/v1/sessions', { loginId: 'alice' }, { ...service.administrator, ...headers });
    }
  };

  /** Sends requests that read, write and probe a failing storage. */
  const sendWhileFailing = async () => {
    const { sessionId, credential } = await call('POST', '/v1/sessions', { loginId: 'alice' });
    for (const failure of [
      DRIVER_ERROR,
      new StorageUnavailableError(undefined, { cause: DRIVER_ERROR }),
      new StorageCorruptError('The record is damaged.', { cause: DRIVER_ERROR }),
    ]) {
      storage.failure = failure;
      await call('POST', '/v1/sessions/verify', { credential });
      await call('PUT', `/v1/sessions/${sessionId}/attributes/role`, { value: CANARY });
      await call('POST', '/v1/sessions', { loginId: 'alice', attributes: { role: CANARY } });
      await call('GET', '/health/ready');
      await call('GET', '/metrics');
      await call('GET', '/v1/counts', undefined, basic('unknown', 'x'.repeat(20)));
    }
    storage.failure = undefined;
  };

  test('contains no token, secret, credential or attribute, even if a client sent it in the wrong place', async () => {
    const variables = { HTTP_ADAPTER, LOG_FORMAT, LOG_LEVEL: 'debug' };
    output = new CapturedOutput();
    storage = new WatchedStorage();
    service = await startService({ variables, storage, logger: new ServiceLogger(readEnvironment(variables)) });
    const secrets = await sendValid();
    expect(secrets.every((secret) => typeof secret === 'string' && secret.length >= 12)).toBe(true);
    await sendMisplaced(secrets.slice(-3));
    await sendWhileFailing();
    await call('GET', '/health/live', undefined, { 'x-request-id': 'the-last-one' });
    await eventually(() => output.text.includes('the-last-one'));

    const digests = secrets.map((secret) => createHash('sha256').update(secret).digest());
    const written = digests.flatMap((digest) => [digest.toString('hex'), digest.toString('base64url')]);
    const encoded = secrets.flatMap((secret) => [encodeURIComponent(secret), Buffer.from(secret).toString('base64')]);
    const hidden = [...secrets, ...encoded, ...written, CANARY].filter((text) => output.text.includes(text));
    expect(hidden).toEqual([]);
    expect(output.text).toContain('ERR_INTERNAL');
  });
});
