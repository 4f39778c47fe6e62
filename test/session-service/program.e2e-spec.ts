import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { Agent, type IncomingMessage, request } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { RedisServer } from '@distributed-session/test-servers/redis/redis-server.js';
import { BuiltProgram } from '../support/built-program.js';
import { type RequestHeaders, basic } from '../support/credential-headers.js';
import { EventReader, closeReaders } from '../support/event-reader.js';
import { send } from '../support/http-request.js';
import { outputOf, runProgram } from '../support/run-program.js';
import { SERVERS } from '../support/running-service.js';

const ADMIN_SECRET = 'the-secret-of-the-operator';
const MEMORY_WARNING = 'are lost when it stops';
/** Part of the last line that a start prints. */
const READY = '/history';

let folder: string;
const started: BuiltProgram[] = [];

/** Starts the built service in an empty folder, with no other environment variables. */
function start(variables: Readonly<Record<string, string>> = {}): BuiltProgram {
  const env = { PATH: process.env['PATH'], PORT: '0', ...variables };
  const program = new BuiltProgram('session-service/main.js', { env, cwd: folder });
  started.push(program);
  return program;
}

async function startReady(
  variables: Readonly<Record<string, string>>,
): Promise<{ program: BuiltProgram; url: string }> {
  const program = start(variables);
  await program.printed(READY);
  return { program, url: urlIn(program.stdout) };
}

function urlIn(output: string): string {
  const [url] = /http:\/\/127\.0\.0\.1:\d+/.exec(output) ?? [];
  if (url === undefined) throw new Error(`There is no address in:\n${output}`);
  return url;
}

function curlLinesIn({ stdout }: BuiltProgram): string[] {
  return stdout.split('\n').filter((line) => line.trim().startsWith('curl '));
}

/** Runs lines in a shell and parses their output as JSON. */
async function runInShell(lines: readonly string[]): Promise<unknown[]> {
  const answers: unknown[] = [];
  for (const line of lines) answers.push(JSON.parse(await outputOf('bash', ['-c', line], folder)));
  return answers;
}

async function answerOf(url: string, agent: Agent, headers: RequestHeaders = {}): Promise<IncomingMessage> {
  const [response] = (await once(request(url, { agent, headers }).end(), 'response')) as [IncomingMessage];
  return response;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'session-service-'));
  const { code } = await runProgram('bash', ['-c', 'command -v curl'], folder);
  if (code !== 0) throw new Error('The tests run the printed curl lines: install curl (Debian: apt-get install curl).');
});

afterAll(async () => {
  closeReaders();
  for (const program of started) {
    program.kill();
    await program.exitCode();
  }
  await rm(folder, { recursive: true, force: true });
});

describe.each(SERVERS)('On %s, the built service without configuration', (HTTP_ADAPTER) => {
  let program: BuiltProgram;
  let url: string;
  let secret: string;

  beforeAll(async () => {
    ({ program, url } = await startReady({ HTTP_ADAPTER, SHUTDOWN_TIMEOUT_MS: '300000' }));
    [, secret = ''] = /Secret: +(dss_\w+)/.exec(program.stdout) ?? [];
  });

  test('prints curl lines that work as printed, and a secret that it prints nowhere else', async () => {
    const answers = await runInShell(curlLinesIn(program));
    const session = { loginId: 'user123', device: 'web', attributes: { role: 'customer' } };
    expect(answers).toMatchObject([
      { status: 'ok', details: { sessions: { status: 'up' } } },
      { ...session, serviceId: 'admin', credential: expect.any(String) },
      { total: 1, sessions: [session] },
      { serviceId: 'order', permissions: ['session.read', 'session.write:order.*'], secret: expect.any(String) },
      { ended: 1 },
      { history: [{ loginId: 'user123', reason: 'logged-out', endedBy: 'admin' }] },
    ]);
    const elsewhere = program.stdout.split('\n').filter((line) => !/^ {2}(?:Secret:| +curl )/.test(line));
    expect([secret.length, elsewhere.join('\n').includes(secret)]).toEqual([64, false]);
    expect(program.stderr).not.toContain(secret);
  });

  test('serves the page of its routes, with everything that the page needs', async () => {
    const page = await send(`${url}/docs`);
    expect([page.status, page.headers.get('content-type')]).toEqual([200, expect.stringContaining('text/html')]);
    const parts = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(
      ([, part]) => new URL(part!, `${url}/docs`).href,
    );
    expect(parts.length).toBeGreaterThan(3);
    for (const part of parts) expect([part, (await send(part)).status]).toEqual([part, 200]);
    // The policy does not allow inline scripts.
    expect(page.headers.get('content-security-policy')).toContain("script-src 'self'");
    expect(page.text).not.toMatch(/<script>\s*\S/);
  });

  test('delivers the changes of another process in an event stream', async () => {
    const reader = await EventReader.open(`${url}/v1/events`, basic('admin', secret));
    const create = curlLinesIn(program).find((line) => line.includes('/v1/sessions') && line.includes('loginId'));
    await runInShell([create!]);
    await reader.untilEvents(1);
    expect(reader.events[0]).toMatchObject({ event: 'session.created', data: { loginId: 'user123', by: 'admin' } });
    reader.close();
  });

  test('exits with 0 and without errors after SIGTERM, regardless of idle connections and event streams', async () => {
    const agent = new Agent({ keepAlive: true });
    const administrator = basic('admin', secret);
    const idle = await answerOf(`${url}/health/live`, agent);
    await once(idle.resume(), 'end');
    const streams = [
      await answerOf(`${url}/v1/events`, agent, administrator),
      await answerOf(`${url}/v1/events?loginId=unknown`, agent, administrator),
    ];
    const ended = streams.map((stream) => once(stream.resume(), 'end'));
    program.signal('SIGTERM');
    expect(await program.exitCode()).toBe(0);
    await Promise.all(ended);
    expect([...streams.map(({ complete }) => complete), program.stderr]).toEqual([true, true, '']);
    agent.destroy();
  });
});

/** Verifies that a new process has no sessions and warns about it, and creates one. */
async function expectEmpty({ program, url }: { program: BuiltProgram; url: string }, administrator: RequestHeaders) {
  expect(program.stdout).toContain(MEMORY_WARNING);
  expect((await send(`${url}/v1/counts`, administrator)).json).toEqual({ sessions: 0, logins: 0 });
  const headers = { ...administrator, 'content-type': 'application/json' };
  const body = JSON.stringify({ loginId: 'alice' });
  expect((await fetch(`${url}/v1/sessions`, { method: 'POST', headers, body })).status).toBe(201);
}

describe('The built service with a configured secret', () => {
  test('reads a .env file in its folder, which environment variables override, and exits with 0 after SIGINT', async () => {
    const file = join(folder, '.env');
    await writeFile(file, `ADMIN_SERVICE_ID=of-the-file\nADMIN_SECRET=${ADMIN_SECRET}\n`);
    const running = await startReady({ ADMIN_SERVICE_ID: 'operator' });
    await rm(file);
    await expectEmpty(running, basic('operator', ADMIN_SECRET));
    running.program.signal('SIGINT');
    expect(await running.program.exitCode()).toBe(0);
    expect(running.program.stdout + running.program.stderr).not.toContain(ADMIN_SECRET);
  });

  test('keeps no sessions in memory over a restart, and prints curl lines that work with a secret from a file', async () => {
    const ADMIN_SECRET_FILE = join(folder, 'admin-secret');
    await writeFile(ADMIN_SECRET_FILE, `${ADMIN_SECRET}\n`);
    const running = await startReady({ ADMIN_SECRET_FILE });
    await expectEmpty(running, basic('admin', ADMIN_SECRET));
    const lines = curlLinesIn(running.program).map((line) => `export ADMIN_SECRET=${ADMIN_SECRET}\n${line}`);
    const answers = (await runInShell(lines)) as object[];
    expect(answers.length).toBeGreaterThanOrEqual(6);
    expect(answers.filter((answer) => 'code' in answer)).toEqual([]);
    expect(running.program.stdout + running.program.stderr).not.toContain(ADMIN_SECRET);
  });

  test('in production logs JSON, prints its address and no secret, and serves', async () => {
    const secret = randomBytes(32).toString('hex');
    const program = start({ NODE_ENV: 'production', HOST: '127.0.0.1', ADMIN_SECRET: secret });
    await program.printed('is listening on');
    expect((await send(`${urlIn(program.stdout)}/v1/counts`, basic('admin', secret))).status).toBe(200);
    await program.printed('countOnline');
    for (const line of program.stdout.trim().split('\n')) {
      expect(JSON.parse(line)).toMatchObject({ level: expect.any(String), message: expect.anything() });
    }
    expect(program.stdout + program.stderr).not.toContain(secret);
    expect(program.stdout).toContain(MEMORY_WARNING);
  });
});

describe('The start of the built service fails', () => {
  test('in production without an administrator secret, and lists every error', async () => {
    const program = start({ NODE_ENV: 'production', PORT: '70000', METRICS_TOKEN: 'change-me-please' });
    expect(await program.exitCode()).toBe(1);
    expect(program.stderr).toMatch(/ADMIN_SECRET is required in production/);
    expect(program.stderr).toMatch(/PORT must be/);
    expect(program.stderr).toMatch(/METRICS_TOKEN is too short/);
    expect(program.stderr + program.stdout).not.toMatch(/\n\s+at |change-me-please/);
  });

  test.each([
    ['redis', 'redis://user:canary@127.0.0.1', 'the username or password is wrong'],
    ['redis', 'redis://user:canary@127.0.0.1:port', 'url contains an invalid host or port'],
    ['postgres', 'postgres://user:canary@127.0.0.1:port', 'url must look like postgres://'],
  ])('on %s at %s with a message that does not contain the password', async (kind, url, message) => {
    const redis = kind === 'redis' ? await RedisServer.start() : undefined;
    const SESSION_STORAGE_URL = url.replace(/1$/, `1:${redis?.port}`);
    const program = start({ SESSION_STORAGE: kind, SESSION_STORAGE_URL });
    expect(await program.exitCode()).toBe(1);
    await redis?.stop();
    expect(program.stderr).toContain(message);
    expect(program.stdout + program.stderr).not.toMatch(/canary|\n\s+at /);
  });

  test('on a port that is in use', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    try {
      const program = start({ PORT: String(port) });
      expect(await program.exitCode()).toBe(1);
      expect(program.stderr).toContain(`127.0.0.1:${port} is already in use. Set PORT to another port`);
    } finally {
      server.close();
    }
  });
});
