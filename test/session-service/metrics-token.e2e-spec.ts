import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type RequestHeaders, basic, bearer } from '../support/credential-headers.js';
import { send, sendRaw } from '../support/http-request.js';
import { type RunningService, SERVERS, startService, stopServices } from '../support/running-service.js';

const TOKEN = 'b7d02f9e4c1385a6f09d6e3b72c84a15';
const PRODUCTION = { NODE_ENV: 'production', ADMIN_SECRET: '9f0c2e71b84d6a35e2170c9b58fd43a6' };

describe.each(SERVERS)('On %s, METRICS_TOKEN', (HTTP_ADAPTER) => {
  let service: RunningService;

  beforeAll(async () => {
    service = await startService({ variables: { HTTP_ADAPTER, METRICS_TOKEN: TOKEN, ...PRODUCTION } });
  });

  afterAll(stopServices);

  test('is accepted as a bearer token', async () => {
    const answer = await send(`${service.url}/metrics`, bearer(TOKEN));
    expect(answer.status).toBe(200);
    expect(answer.text).toContain('session_service_sessions_online 0\n');
  });

  const administrator = basic('admin', PRODUCTION.ADMIN_SECRET);

  test.each<[string, RequestHeaders]>([
    ['no credential', {}],
    ['a wrong token', bearer('f3b1c0d2a4958677e6f5d4c3b2a19081')],
    ['a prefix of the token', bearer(TOKEN.slice(0, -1))],
    ['a longer token', bearer(`${TOKEN}0`)],
    ['the token in capitals', bearer(TOKEN.toUpperCase())],
    ['the token without a scheme', { authorization: TOKEN }],
    ['the token with another scheme', { authorization: `Token ${TOKEN}` }],
    ['the token as a password', basic('metrics', TOKEN)],
    ['the credential of the administrator', administrator],
  ])('is required: rejects %s', async (_what, headers) => {
    const answer = await send(`${service.url}/metrics`, headers);
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).not.toBeNull();
    expect(answer.json).toMatchObject({ status: 401, code: 'ERR_SERVICE_AUTHENTICATION' });
    expect(answer.text).not.toContain(TOKEN.slice(0, -1));
    expect(answer.text).not.toContain('session_service_');
  });

  test('is rejected when sent twice, and in the URL', async () => {
    const header = ['Authorization', `Bearer ${TOKEN}`] as const;
    expect((await sendRaw(service.url, '/metrics', [header])).status).toBe(200);
    expect((await sendRaw(service.url, '/metrics', [header, header])).status).toBe(401);
    expect((await sendRaw(service.url, '/metrics', [header, ['Authorization', 'Bearer x']])).status).toBe(401);
    expect((await send(`${service.url}/metrics?token=${TOKEN}&access_token=${TOKEN}`)).status).toBe(401);
  });

  test('is any of its entries while it is changed', async () => {
    const other = '4c85a16b3e72f09dc1385a6e4b7d02f9';
    const variables = { HTTP_ADAPTER, ...PRODUCTION, METRICS_TOKEN: `${other}\n${TOKEN}\n` };
    const { url } = await startService({ variables });
    const statusOf = async (token: string) => (await send(`${url}/metrics`, bearer(token))).status;
    expect([await statusOf(other), await statusOf(TOKEN)]).toEqual([200, 200]);
    for (const wrong of [`${other} ${TOKEN}`, '', `${other}${TOKEN}`]) expect(await statusOf(wrong)).toBe(401);
  });

  test('is requested with a Bearer challenge', async () => {
    const { headers } = await send(`${service.url}/metrics`, bearer('wrong'));
    expect(headers.get('www-authenticate')).toBe('Bearer realm="metrics"');
  });

  test('is not accepted on other routes', async () => {
    expect((await send(`${service.url}/v1/counts`, bearer(TOKEN))).status).toBe(401);
    expect((await send(`${service.url}/health/live`, bearer(TOKEN))).status).toBe(200);
  });

  test('removes the route in production if it is not set', async () => {
    const closed = await startService({ variables: { HTTP_ADAPTER, ...PRODUCTION } });
    const absent = await send(`${closed.url}/metric`);
    for (const headers of [{}, bearer(TOKEN), bearer('undefined'), administrator]) {
      const answer = await send(`${closed.url}/metrics`, headers);
      expect(answer.status).toBe(404);
      const { requestId, ...problem } = answer.json as Record<string, unknown>;
      expect(requestId).toEqual(expect.any(String));
      expect(absent.json).toMatchObject(problem);
    }
  });

  test('leaves the route open outside production if it is not set', async () => {
    const open = await startService({ variables: { HTTP_ADAPTER } });
    expect((await send(`${open.url}/metrics`)).status).toBe(200);
    expect((await send(`${open.url}/metrics`, bearer('anything'))).status).toBe(200);
  });
});
