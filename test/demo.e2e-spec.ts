import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { DistributedSessionManager } from 'nestjs-distributed-session';
import { playScenario } from '../examples/demo/scenario.js';
import { HIDDEN, ScenarioRunner, describeResponse } from '../examples/demo/scenario-runner.js';
import { BuiltProgram } from './support/built-program.js';
import { DOCUMENTED, permitting, play, stepsOf } from './support/demo-run.js';
import { type StubAnswer, StubServer, cut, json } from './support/demo-stub-server.js';

describe('the demo in one process', () => {
  afterEach(() => {
    jest.restoreAllMocks();
  });

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
    const server = new StubServer();
    server.answers.set('POST /login', answer);
    const url = await server.listen();
    const runner = new ScenarioRunner(
      { user: url, order: url, pay: url },
      () => undefined,
      new AbortController().signal,
    );
    const failure = `Step 1 failed: web: POST user /login\n  received: ${received}\n`;
    try {
      await expect(playScenario(runner)).rejects.toThrow(failure);
    } finally {
      await server.close();
    }
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
