import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { NginxProxy } from '@distributed-session/test-servers/nginx/nginx-proxy.js';
import { ALL_SERVERS, type RunningService, startService, stopServices } from '../support/running-service.js';
import { type ServiceClient, clientOf } from '../support/service-client.js';

/** Texts that paths, queries, clients or proxies treat in special ways. All are valid login ids and attribute keys. */
const AWKWARD: Record<string, string> = {
  'a slash': 'a/b',
  'only a slash': '/',
  'several slashes': '//a///',
  'an encoded slash': 'a%2Fb',
  'a backslash': 'a\\b',
  'a dot': '.',
  'two dots': '..',
  'dots and slashes': '../../v1/services',
  'an encoded dot': '%2e%2e',
  'a question mark': 'a?limit=1',
  'a hash': 'a#b',
  'a semicolon': 'a;b=c',
  'an ampersand': 'a&loginId=b',
  'an equals sign': '=a=',
  'a plus sign': 'a+b',
  'a percent sign': '100%',
  'a space': ' a b ',
  'a colon': ':loginId',
  'an asterisk': '*',
  'parentheses and braces': '(a){b}[c]',
  'a NUL': 'a\u0000b',
  'line breaks': 'a\r\nb\u2028c',
  'an emoji': '🦊',
  'combining characters': 'e\u0301 \u00e9',
  'a noncharacter': '\uffff\ufdd0',
  'a name of a route': 'sessions',
  'a name that every object inherits': '__proto__',
  'the constructor': 'constructor',
  'many characters of one byte': 'x'.repeat(128),
  'many characters of three bytes': '€'.repeat(128),
};
const LOGIN_IDS = { ...AWKWARD, 'the most characters': '€'.repeat(256), 'the most emoji': '🦊'.repeat(128) };
/** The ids of listed sessions. */
const ids = ({ json }: { readonly json: unknown }) =>
  (json as { sessions: { sessionId: string }[] }).sessions.map(({ sessionId }) => sessionId);
const all = (texts: Record<string, string>) => Object.entries(texts);

describe.each(ALL_SERVERS)('On %s, everything that can be created can be addressed:', (HTTP_ADAPTER) => {
  let service: RunningService;
  let direct: ServiceClient;
  let proxy: NginxProxy;
  let proxied: ServiceClient;
  let owners = 0;

  beforeAll(async () => {
    service = await startService({ variables: { HTTP_ADAPTER } });
    direct = clientOf(service, service.administrator);
    proxy = await NginxProxy.start(service.url);
    proxied = clientOf(proxy, service.administrator);
  });

  afterAll(async () => {
    await proxy.stop();
    await stopServices();
  });

  test.each(all(LOGIN_IDS))('a login id that contains %s, by path', async (_, loginId) => {
    const path = `/v1/logins/${encodeURIComponent(loginId)}`;
    const sessionId = await login(direct, loginId);
    expect(ids(await direct(`GET ${path}/sessions`))).toEqual([sessionId]);
    expect((await direct(`DELETE ${path}/sessions`)).json).toEqual({ ended: 1 });
    expect((await direct(`GET ${path}/history`)).json).toMatchObject({ history: [{ sessionId, loginId }] });
  });

  describe.each([
    ['directly', () => direct],
    ['through an nginx that normalises paths and compresses', () => proxied],
  ])('%s,', (_name, clientNow) => {
    test.each(all(LOGIN_IDS))('a login id that contains %s, by query', async (_, loginId) => {
      const client = clientNow();
      const query = new URLSearchParams({ loginId }).toString();
      const [kept, ended] = [await login(client, loginId), await login(client, loginId)];
      expect(ids(await client(`GET /v1/sessions?${query}`))).toEqual([kept, ended]);
      expect(ids(await client(`GET /v1/sessions?loginId=${encodeURIComponent(loginId)}&limit=1`))).toEqual([kept]);
      expect((await client(`DELETE /v1/sessions?${query}&except=${kept}&actor=ops`)).json).toEqual({ ended: 1 });
      const history = {
        history: expect.arrayContaining([expect.objectContaining({ sessionId: ended, loginId })]) as unknown,
      };
      expect((await client(`GET /v1/history?${query}`)).json).toMatchObject(history);
      expect((await client(`DELETE /v1/sessions?${query}`)).json).toEqual({ ended: 1 });
    });

    test.each(all(AWKWARD))('an attribute whose key contains %s, by body', async (_, key) => {
      const client = clientNow();
      const attributes = Object.fromEntries([[key, { a: 1 }]]);
      const path = `/v1/sessions/${await login(client, 'alice', { attributes })}/attributes`;
      expect((await client(`GET ${path}`)).text).toContain(`"attributes":${JSON.stringify(attributes)}`);
      const set = Object.fromEntries([[key, 2]]);
      expect((await client(`PATCH ${path}`, { set })).text).toContain(`"attributes":${JSON.stringify(set)}`);
      expect((await client(`PATCH ${path}`, { remove: [key] })).json).toMatchObject({ attributes: {}, version: 3 });
    });

    test.each(all(AWKWARD).filter(([, text]) => text.length <= 64))('a device that contains %s', async (_, device) => {
      const client = clientNow();
      const loginId = `owner ${++owners}`;
      const other = await login(client, loginId, { device: 'other' });
      await login(client, loginId, { device });
      const query = new URLSearchParams({ loginId, device }).toString();
      expect((await client(`DELETE /v1/sessions?${query}`)).json).toEqual({ ended: 1 });
      expect(ids(await client(`GET /v1/sessions?loginId=${encodeURIComponent(loginId)}`))).toEqual([other]);
    });

    test.each(['verify', 'x', 'A.b_c-9', 'sessions', '0'.repeat(128)])('the service %s', async (serviceId) => {
      const client = clientNow();
      const body = { serviceId, serviceName: 'Any \u0000 name 🦊', permissions: [], replace: true };
      const registered = await client<{ secrets: { keyId: string }[] }>('POST /v1/services', body);
      expect(registered.status).toBe(201);
      const path = `/v1/services/${serviceId}`;
      expect((await client(`GET ${path}`)).json).toMatchObject({ serviceId, serviceName: body.serviceName });
      expect((await client(`POST ${path}/secrets`, { overlapMs: 60_000 })).status).toBe(201);
      const { keyId } = registered.json.secrets[0]!;
      expect((await client(`DELETE ${path}/secrets/${keyId}`)).json).toEqual({ ended: true });
      expect((await client(`DELETE ${path}`)).json).toEqual({ revoked: true });
    });
  });

  test.each(all(AWKWARD))('an attribute whose key contains %s, by path', async (_, key) => {
    const path = `/v1/sessions/${await login(direct, 'alice')}/attributes/${encodeURIComponent(key)}`;
    expect((await direct(`GET ${path}`)).json).toMatchObject({ code: 'ERR_ATTRIBUTE_NOT_FOUND' });
    expect((await direct(`PUT ${path}`, { value: [key] })).status).toBe(200);
    expect((await direct(`GET ${path}`)).json).toEqual({ key, value: [key], version: 2 });
    expect((await direct(`DELETE ${path}`)).json).toMatchObject({ attributes: {}, version: 3 });
  });

  test('a version, by the ETag that nginx weakens', async () => {
    const sessionId = await login(proxied, 'alice', { attributes: { role: 'customer' } });
    const read = await fetch(`${proxy.url}/v1/sessions/${sessionId}`, { headers: service.administrator });
    const tag = read.headers.get('etag')!;
    expect([read.headers.get('content-encoding'), tag]).toEqual(['gzip', 'W/"1"']);
    const replace = { attributes: { role: 'admin' } };
    const line = `PUT /v1/sessions/${sessionId}`;
    expect((await proxied(line, replace, { 'if-match': tag })).json).toMatchObject({ version: 2, ...replace });
    expect((await proxied(line, replace, { 'if-match': tag })).status).toBe(412);
  });

  test('and what cannot be addressed cannot be created', async () => {
    const lone = Buffer.from('{"loginId":"a\\ud800"}');
    expect((await direct('POST /v1/sessions', lone)).json).toMatchObject({ field: 'loginId', constraint: 'format' });
    for (const [attributes, constraint] of [
      ['{"a\\udfff":1}', 'attribute-key'],
      ['{"":1}', 'attribute-key'],
    ]) {
      const body = Buffer.from(`{"loginId":"alice","attributes":${attributes}}`);
      expect((await direct('POST /v1/sessions', body)).json).toMatchObject({ code: 'ERR_SESSION_INPUT', constraint });
    }
    const named = Buffer.from('{"serviceId":"x","serviceName":"\\ud800","permissions":[]}');
    expect((await direct('POST /v1/services', named)).json).toMatchObject({ field: 'serviceName' });
  });

  test('and a query without a user ends nothing', async () => {
    const sessionId = await login(direct, 'bystander');
    for (const query of [
      '',
      '?',
      '?loginId',
      '?loginId=',
      '?device=web',
      '?loginId=a&loginId=b',
      '?loginid=bystander',
    ]) {
      for (const line of [`DELETE /v1/sessions${query}`, `GET /v1/sessions${query}`]) {
        expect((await direct(line)).status).toBe(400);
      }
    }
    expect((await direct(`GET /v1/sessions/${sessionId}`)).status).toBe(200);
  });
});

/** Logs a user in and returns the session's id. */
async function login(client: ServiceClient, loginId: string, options: object = {}): Promise<string> {
  const { status, json } = await client<{ sessionId: string }>('POST /v1/sessions', { loginId, ...options });
  expect(status).toBe(201);
  return json.sessionId;
}
