import type { INestApplication, Type } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { DistributedSessionManager } from 'nestjs-distributed-session';
import { HIDDEN, describeResponse } from '../examples/demo/expected-response.js';
import { playScenario } from '../examples/demo/scenario.js';
import { ScenarioRunner } from '../examples/demo/scenario-runner.js';
import { OrderModule } from '../examples/order/order.module.js';
import { PayModule } from '../examples/pay/pay.module.js';
import { RemoteSessionsModule } from '../examples/remote/remote-sessions.module.js';
import { startService } from '../examples/service/start-service.js';
import { UserModule } from '../examples/user/user.module.js';
import { bearer } from './support/credential-headers.js';
import { BuiltProgram } from './support/built-program.js';
import { DOCUMENTED, permitting, play, stepsOf } from './support/demo-run.js';
import { type StubAnswer, StubServer, cut, json, silence } from './support/demo-stub-server.js';
import { send } from './support/http-request.js';

let server: StubServer;

beforeEach(() => {
  server = new StubServer();
});

afterEach(async () => {
  jest.restoreAllMocks();
  await server.close();
});

describe('the demo in one process', () => {
  test('prints every step of the scenario in order and exits with 0', async () => {
    const { code, transcript, errors } = await play();
    expect([code, errors]).toEqual([0, '']);
    expect(stepsOf(transcript)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(`${transcript}\n`).toBe(DOCUMENTED);
  });

  test('does not print tokens or secrets', async () => {
    const created = jest.spyOn(DistributedSessionManager.prototype, 'createSession');
    const registered = jest.spyOn(DistributedSessionManager.prototype, 'registerService');
    const { transcript } = await play();
    const sessions = await Promise.all(created.mock.results.map(({ value }) => value as Promise<{ token: string }>));
    const services = await Promise.all(
      registered.mock.results.map(({ value }) => value as Promise<{ secret: string }>),
    );
    const secrets = [...sessions.map(({ token }) => token), ...services.map(({ secret }) => secret)];
    expect(secrets).toHaveLength(7);
    expect(secrets.filter((secret) => transcript.includes(secret))).toEqual([]);
  });

  test('redacts secrets in an unexpected response', () => {
    const answer = { device: 'web', credential: 'canary', nested: [{ token: 'canary', secret: 'canary' }] };
    expect(describeResponse(answer)).toBe("{ device: 'web', credential: …, nested: [ { token: …, secret: … } ] }");
    expect(describeResponse({ text: HIDDEN })).toBe('{ text: … }');
  });

  test.each([
    [
      'pay may change the role',
      permitting('pay', ['session.read', 'session.write']),
      4,
      "201 { role: 'gold' }",
      '403 {',
    ],
    ['order has no permissions', permitting('order', []), 2, '403 {', "200 { user: 'alice'"],
    ['user may not read', permitting('user', ['session.create', 'session.write']), 5, '403 {', "200 [ { device: 'web'"],
  ])('exits with 1 and names the failed step when %s', async (_case, registrations, step, received, expected) => {
    const { code, transcript, errors } = await play({ registrations });
    expect([code, stepsOf(transcript).at(-1)]).toEqual([1, step]);
    expect(errors).toMatch(new RegExp(`^\nStep ${step} failed: web: `));
    expect(errors).toContain(`received: ${received}`);
    expect(errors).toContain(`expected: ${expected}`);
  });

  test.each<[string, string, StubAnswer]>([
    ['another status', "200 { device: 'web', credential: … }", json(200, { device: 'web', credential: 'canary' })],
    ['another device', "201 { device: 'tv', credential: … }", json(201, { device: 'tv', credential: 'canary' })],
    ['no credential', "201 { device: 'web' }", json(201, { device: 'web' })],
    ['a body that is not JSON', "502 '<html>'", (response) => response.writeHead(502).end('<html>')],
    ['a cut connection', 'nothing (SocketError: other side closed)', cut],
  ])('names the step that received %s', async (_what, received, answer) => {
    server.answers.set('POST /login', answer);
    const url = await server.listen();
    const runner = new ScenarioRunner(
      { user: url, order: url, pay: url },
      () => undefined,
      new AbortController().signal,
    );
    const failure = `Step 1 failed: web: POST user /login\n  received: ${received}\n`;
    await expect(playScenario(runner)).rejects.toThrow(failure);
  });

  test('exits with 1 when a service cannot start', async () => {
    const { code, transcript, errors } = await play({ registrations: permitting('pay', ['not a permission']) });
    expect([code, stepsOf(transcript)]).toEqual([1, []]);
    expect(errors).toContain('permissions[0]');
  });

  test('ends early when interrupted', async () => {
    const interruption = new AbortController();
    const print = (line: string) => line.includes('3. ') && interruption.abort(130);
    const { errors } = await play({ print, signal: interruption.signal });
    expect(errors).toBe('\nInterrupted.');
  });
});

describe('the arguments of the demo', () => {
  test.each([[['--fast']], [['redis']], [['--processes=3']]])(
    'print the usage if they are unknown: %s',
    async (args) => {
      const { code, transcript, errors } = await play({ args });
      expect([code, transcript]).toEqual([2, '']);
      expect(errors).toContain('Usage: npm run demo [-- --processes]');
    },
  );

  test('report an invalid Redis URL without its password', async () => {
    const environment = { DEMO_REDIS_URL: 'redis://user:canary@localhost:port' };
    const { code, errors } = await play({ environment });
    expect([code, errors]).toEqual([1, expect.stringContaining('url contains an invalid host or port')]);
    expect(errors).not.toContain('canary');
  });
});

describe('the demo as a program', () => {
  let demo: BuiltProgram;

  afterEach(() => demo.kill());

  test('exits with 0 and prints only the transcript', async () => {
    demo = new BuiltProgram('examples/demo.js');
    expect(await demo.exitCode()).toBe(0);
    expect([demo.stdout, demo.stderr]).toEqual([DOCUMENTED, '']);
  });

  test('with --processes prints the same scenario and leaves no process behind', async () => {
    demo = new BuiltProgram('examples/demo.js', { args: ['--processes'] });
    expect([await demo.exitCode(), demo.stderr]).toEqual([0, '']);
    expect(demo.isRunning()).toBe(false);
    const [, setting = ''] = demo.stdout.split('\n');
    expect(setting).toMatch(/^Each runs as a separate process/);
    expect(demo.stdout.replace(setting, '')).toBe(DOCUMENTED.replace(DOCUMENTED.split('\n')[1]!, ''));
  }, 120_000);

  test('closes everything on SIGTERM and exits with 143', async () => {
    demo = new BuiltProgram('examples/demo.js');
    await demo.printed('Three services');
    demo.signal('SIGTERM');
    expect([await demo.exitCode(), demo.stderr]).toEqual([143, '\nInterrupted.\n']);
  });

  test('with --processes closes everything on Ctrl-C and exits with 130', async () => {
    demo = new BuiltProgram('examples/demo.js', { args: ['--processes'] });
    await demo.printed('1. ');
    demo.signal('SIGINT');
    expect([await demo.exitCode(), demo.stderr]).toEqual([130, '\nInterrupted.\n']);
    expect(demo.isRunning()).toBe(false);
  }, 120_000);
});

describe('an example service behind the session service', () => {
  const SESSION_ID = '0192f3a4-0000-4000-8000-000000000001';
  const VERIFY = 'POST /v1/sessions/verify';
  const headers = bearer(`${SESSION_ID}.token`);
  const identity = { serviceId: 'order', secret: 'a secret of order' };
  const alice = { sessionId: SESSION_ID, loginId: 'alice', device: 'web', attributes: { role: 'customer' } };
  const unavailable = [503, { code: 'ERR_STORAGE_UNAVAILABLE' }] as const;
  let app: INestApplication | undefined;

  afterEach(() => app?.close());

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
