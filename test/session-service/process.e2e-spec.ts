import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { Agent, type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { BuiltProgram } from '../support/built-program.js';
import { type RequestHeaders, basic } from '../support/credential-headers.js';
import { send } from '../support/http-request.js';
import { outputOf } from '../support/run-program.js';

const ADMIN_SECRET = 'a-secret-of-the-operator';
/** The last line of what is printed at a start. */
const READY = '/history';
/** Long before a connection that is kept alive ends by itself, or is cut. */
const PROMPTLY_MS = 4_000;

describe('the process of the service', () => {
  let folder: string;
  const started: BuiltProgram[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'session-service-'));
  });

  afterEach(async () => {
    for (const program of started.splice(0)) {
      program.kill();
      await program.exitCode();
    }
  });

  afterAll(() => rm(folder, { recursive: true, force: true }));

  /** Starts it in an empty folder, with nothing else in its environment, and waits until it is ready. */
  const start = async (variables: Readonly<Record<string, string>>) => {
    const env = { PATH: process.env['PATH'], PORT: '0', ...variables };
    const program = new BuiltProgram('session-service/main.js', { env, cwd: folder });
    started.push(program);
    await program.printed(READY);
    const [url = ''] = /http:\/\/127\.0\.0\.1:\d+/.exec(program.stdout) ?? [];
    return { program, url };
  };

  test.each([
    ['express', 'SIGINT'],
    ['fastify', 'SIGTERM'],
  ] as const)(
    'on %s ends with 0 soon after %s, whatever its clients keep open, and without a word',
    async (HTTP_ADAPTER, signal) => {
      const { program, url } = await start({ HTTP_ADAPTER, ADMIN_SECRET });
      const agent = new Agent({ keepAlive: true });
      const administrator = basic('admin', ADMIN_SECRET);
      const idle = await answerOf(`${url}/health/live`, agent);
      await once(idle.resume(), 'end');
      const events = await answerOf(`${url}/v1/events`, agent, administrator);
      const filtered = await answerOf(`${url}/v1/events?loginId=nobody`, agent, administrator);
      const ended = [events, filtered].map((stream) => once(stream.resume(), 'end'));
      const startedAt = performance.now();
      program.signal(signal);
      expect(await program.exitCode()).toBe(0);
      expect(performance.now() - startedAt).toBeLessThan(PROMPTLY_MS);
      await Promise.all(ended);
      expect([events.complete, filtered.complete, program.stderr]).toEqual([true, true, '']);
      agent.destroy();
    },
  );

  test('generates a new secret at each start', async () => {
    const programs = await Promise.all([start({}), start({})]);
    const secrets = programs.map(({ program }) => /Secret: +(dss_\w+)/.exec(program.stdout)?.[1]);
    expect(secrets).toEqual([expect.any(String), expect.any(String)]);
    expect(secrets[0]).not.toBe(secrets[1]);
    const statuses = secrets.map((secret) => send(`${programs[0].url}/v1/counts`, basic('admin', secret!)));
    expect((await Promise.all(statuses)).map(({ status }) => status)).toEqual([200, 401]);
  });

  test('prints curl lines that work with a secret of the operator, from a file, and not the secret', async () => {
    const ADMIN_SECRET_FILE = join(folder, 'admin-secret');
    await writeFile(ADMIN_SECRET_FILE, `${ADMIN_SECRET}\n`);
    const { program } = await start({ HTTP_ADAPTER: 'fastify', ADMIN_SECRET_FILE });
    const lines = program.stdout.split('\n').filter((line) => line.trim().startsWith('curl '));
    const script = (line: string) => `export ADMIN_SECRET=${ADMIN_SECRET}\n${line}`;
    const answers: object[] = [];
    for (const line of lines) answers.push(JSON.parse(await outputOf('bash', ['-c', script(line)], folder)) as object);
    expect(answers.length).toBeGreaterThanOrEqual(6);
    expect(answers.filter((answer) => 'code' in answer)).toEqual([]);
    expect(program.stdout + program.stderr).not.toContain(ADMIN_SECRET);
  });

  test('goes by its environment before a .env file', async () => {
    const file = join(folder, '.env');
    await writeFile(file, 'ADMIN_SERVICE_ID=of-the-file\nADMIN_SECRET=the-secret-of-the-file\n');
    const { url } = await start({ ADMIN_SECRET });
    await rm(file);
    expect((await send(`${url}/v1/counts`, basic('of-the-file', ADMIN_SECRET))).status).toBe(200);
  });
});

async function answerOf(url: string, agent: Agent, headers: RequestHeaders = {}): Promise<IncomingMessage> {
  const [response] = (await once(request(url, { agent, headers }).end(), 'response')) as [IncomingMessage];
  return response;
}
