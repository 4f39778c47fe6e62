import type { INestApplication, Type } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { OrderModule } from '../examples/order/order.module.js';
import { PayModule } from '../examples/pay/pay.module.js';
import { RemoteSessionsModule } from '../examples/remote/remote-sessions.module.js';
import { startService } from '../examples/service/start-service.js';
import { UserModule } from '../examples/user/user.module.js';
import { bearer } from './support/credential-headers.js';
import { type StubAnswer, StubServer, cut, json, silence } from './support/demo-stub-server.js';
import { send } from './support/http-request.js';

describe('an example service behind the session service', () => {
  const SESSION_ID = '0192f3a4-0000-4000-8000-000000000001';
  const VERIFY = 'POST /v1/sessions/verify';
  const headers = bearer(`${SESSION_ID}.token`);
  const identity = { serviceId: 'order', secret: 'a secret of order' };
  const alice = { sessionId: SESSION_ID, loginId: 'alice', device: 'web', attributes: { role: 'customer' } };
  const unavailable = [503, { code: 'ERR_STORAGE_UNAVAILABLE' }] as const;
  let server: StubServer;
  let app: INestApplication | undefined;

  beforeEach(() => {
    server = new StubServer();
  });

  afterEach(async () => {
    await app?.close();
    await server.close();
  });

  async function start(service: Type): Promise<string> {
    server.answers.set(VERIFY, json(200, alice));
    app = await startService(service, RemoteSessionsModule.forService(identity, await server.listen()));
    return app.getUrl();
  }

  test.each<[string, StubAnswer, readonly [status: number, body: object]]>([
    ['a session', json(200, alice), [200, { user: 'alice', role: 'customer' }]],
    ['an unknown session', json(404, { code: 'ERR_SESSION_NOT_FOUND' }), [401, { code: 'ERR_SESSION_NOT_FOUND' }]],
    [
      'an ended session',
      json(410, { code: 'ERR_SESSION_ENDED', reason: 'kicked-out', endedAt: 5, endedBy: 'user' }),
      [401, { reason: 'kicked-out', endedAt: 5, message: expect.stringContaining(SESSION_ID) }],
    ],
    [
      'a malformed credential',
      json(400, { code: 'ERR_SESSION_INPUT', field: 'credential', constraint: 'format', detail: 'credential is odd.' }),
      [401, { code: 'ERR_SESSION_INPUT', field: 'credential', constraint: 'format', message: 'credential is odd.' }],
    ],
    [
      'a missing permission',
      json(403, { code: 'ERR_SERVICE_PERMISSION', permission: 'session.read' }),
      [403, { message: "Service 'order' lacks the permission 'session.read'." }],
    ],
    ['a rejected service credential', json(401, { code: 'ERR_SERVICE_AUTHENTICATION' }), unavailable],
    ['a failure', json(500, { code: 'ERR_INTERNAL' }), unavailable],
    ['a body that is not JSON', (response) => response.writeHead(502).end('<html>'), unavailable],
    ['JSON that is not a problem', (response) => response.writeHead(502).end('null'), unavailable],
    ['a redirect', (response) => response.writeHead(307, { location: '/elsewhere' }).end(), unavailable],
    ['a cut connection', cut, unavailable],
    ['no response', silence, unavailable],
  ])(
    'responds to its users as if it held the storage when the session service returns %s',
    async (_what, answer, [status, body]) => {
      const url = await start(OrderModule);
      server.answers.set(VERIFY, answer);
      expect(await send(`${url}/me`, headers)).toMatchObject({ status, json: body });
    },
  );

  test('reports an unknown outcome when the response to a write is lost', async () => {
    const url = await start(PayModule);
    server.answers.set(VERIFY, json(200, { ...alice, attributes: { 'order.last': 'tea' } }));
    server.answers.set(`PATCH /v1/sessions/${SESSION_ID}/attributes`, cut);
    const { status, json: body } = await send(`${url}/payments`, headers, 'POST');
    expect([status, body]).toEqual([503, expect.objectContaining({ code: 'ERR_STORAGE_OUTCOME_UNKNOWN' })]);
  });

  test.each([
    ['up', 200, json(200, { status: 'ok' })],
    ['down', 503, json(503, { status: 'error' })],
    ['down', 503, cut],
  ] as const)('reports its health as %s with the session service: %i', async (state, status, ready) => {
    const url = await start(OrderModule);
    server.answers.set('GET /health/ready', ready);
    const answer = await send(`${url}/health`);
    expect(answer).toMatchObject({ status, json: { details: { sessions: { status: state } } } });
  });

  test.each([
    ['a/b?c#d%', 200, ['GET /v1/logins/a%2Fb%3Fc%23d%25/history']],
    ['..', 400, []],
  ])('requests the history of the user %j and nothing else', async (loginId, status, asked) => {
    const url = await start(UserModule);
    server.answers.set(VERIFY, json(200, { ...alice, loginId }));
    server.answers.set(asked.join(), json(200, { history: [] }));
    expect((await send(`${url}/history`, headers)).status).toBe(status);
    expect(server.requests.slice(2)).toEqual(asked);
  });

  test('lets users kick out only their own sessions', async () => {
    const url = await start(UserModule);
    server.answers.set('GET /v1/logins/alice/sessions', json(200, { sessions: [alice] }));
    const { status } = await send(`${url}/devices/0192f3a4-0000-4000-8000-000000000002`, headers, 'DELETE');
    expect(status).toBe(404);
    expect(server.requests.filter((request) => request.startsWith('DELETE'))).toEqual([]);
  });

  test('does not start with a rejected credential', async () => {
    const refusal = json(401, { code: 'ERR_SERVICE_AUTHENTICATION' });
    server.answers.set('GET /v1/sessions/00000000-0000-0000-0000-000000000000', refusal);
    const sessions = RemoteSessionsModule.forService(identity, await server.listen());
    const started = Test.createTestingModule({ imports: [sessions] }).compile();
    await expect(started).rejects.toThrow('The session service answered 401 ERR_SERVICE_AUTHENTICATION.');
  });
});
