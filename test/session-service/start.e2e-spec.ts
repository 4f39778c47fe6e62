import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it, test } from '@jest/globals';
import { BuiltProgram } from '../support/built-program.js';
import { basic } from '../support/credential-headers.js';
import { EventReader, closeReaders } from '../support/event-reader.js';
import { send } from '../support/http-request.js';
import { RedisServer } from '@distributed-session/test-servers/redis/redis-server.js';
import { outputOf, runProgram } from '../support/run-program.js';

const MEMORY_WARNING = 'are lost when it stops';
const READY = 'List the user';

let folder: string;
let redis: RedisServer;
const started: BuiltProgram[] = [];

/** Starts the built service in an empty folder, with nothing else in its environment. */
function start(variables: Readonly<Record<string, string>> = {}): BuiltProgram {
  const { PATH } = process.env;
  const program = new BuiltProgram('session-service/main.js', { env: { PATH, PORT: '0', ...variables }, cwd: folder });
  started.push(program);
  return program;
}

function urlIn(output: string): string {
  const [url] = /http:\/\/127\.0\.0\.1:\d+/.exec(output) ?? [];
  if (url === undefined) throw new Error(`There is no address in:\n${output}`);
  return url;
}

beforeAll(async () => {
  redis = await RedisServer.start();
  folder = await mkdtemp(join(tmpdir(), 'session-service-'));
  const { code } = await runProgram('bash', ['-c', 'command -v curl'], folder);
  if (code !== 0) throw new Error('The tests run the printed curl lines: install curl (Debian: apt-get install curl).');
});

afterEach(async () => {
  closeReaders();
  for (const program of started.splice(0)) {
    program.kill();
    await program.exitCode();
  }
});

afterAll(async () => {
  await redis.stop();
  await rm(folder, { recursive: true, force: true });
});

describe.each(['express', 'fastify'])('the first start, on %s,', (HTTP_ADAPTER) => {
  it('prints curl lines that work as printed, and a secret that is printed nowhere else', async () => {
    const program = start({ HTTP_ADAPTER });
    await program.printed('history');
    const lines = program.stdout.split('\n').filter((line) => line.trim().startsWith('curl '));
    const answers: unknown[] = [];
    for (const line of lines) answers.push(JSON.parse(await outputOf('bash', ['-c', line], folder)));
    const session = { loginId: 'user123', device: 'web', attributes: { role: 'customer' } };
    expect(answers).toMatchObject([
      { status: 'ok', details: { sessions: { status: 'up' } } },
      { ...session, serviceId: 'admin', credential: expect.any(String) },
      { total: 1, sessions: [session] },
      { serviceId: 'order', permissions: ['session.read', 'session.write:order.*'], secret: expect.any(String) },
      { ended: 1 },
      { history: [{ loginId: 'user123', reason: 'logged-out', endedBy: 'admin' }] },
    ]);
    const [, secret] = /Secret: +(dss_\w+)/.exec(program.stdout) ?? [];
    const elsewhere = program.stdout.split('\n').filter((line) => !/^ {2}(?:Secret:| +curl )/.test(line));
    expect([secret?.length, elsewhere.join('\n').includes(secret!)]).toEqual([64, false]);
    expect(program.stderr).not.toContain(secret);
  });

  it('serves the page of its routes, with everything that the page needs', async () => {
    const program = start({ HTTP_ADAPTER });
    await program.printed(READY);
    const url = urlIn(program.stdout);
    const page = await send(`${url}/docs`);
    expect([page.status, page.headers.get('content-type')]).toEqual([200, expect.stringContaining('text/html')]);
    const parts = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(
      ([, part]) => new URL(part!, `${url}/docs`).href,
    );
    expect(parts.length).toBeGreaterThan(3);
    for (const part of parts) expect([part, (await send(part)).status]).toEqual([part, 200]);
    // The page has no script of its own text, which the policy would not run.
    expect(page.headers.get('content-security-policy')).toContain("script-src 'self'");
    expect(page.text).not.toMatch(/<script>\s*\S/);
  });
});

test('says at each start that memory keeps nothing, and a restart begins with nothing', async () => {
  const ADMIN_SECRET = 'a-secret-of-the-operator';
  for (let run = 0; run < 2; run++) {
    const program = start({ ADMIN_SECRET });
    await program.printed(READY);
    expect(program.stdout).toContain(MEMORY_WARNING);
    expect(program.stdout).not.toContain(ADMIN_SECRET);
    const url = urlIn(program.stdout);
    const administrator = basic('admin', ADMIN_SECRET);
    expect((await send(`${url}/v1/counts`, administrator)).json).toEqual({ sessions: 0, logins: 0 });
    const body = JSON.stringify({ loginId: 'alice' });
    const headers = { ...administrator, 'content-type': 'application/json' };
    expect((await fetch(`${url}/v1/sessions`, { method: 'POST', headers, body })).status).toBe(201);
    program.signal('SIGTERM');
    await program.exitCode();
  }
});

test('reads a .env file where it is started', async () => {
  await writeFile(join(folder, '.env'), 'ADMIN_SERVICE_ID=operator\nADMIN_SECRET=from-the-env-file\n');
  const program = start();
  await program.printed(READY);
  const url = urlIn(program.stdout);
  expect((await send(`${url}/v1/services`, basic('operator', 'from-the-env-file'))).status).toBe(200);
  await rm(join(folder, '.env'));
});

test('tells what another process does, and ends the stream and itself when told to stop', async () => {
  const program = start();
  await program.printed('history');
  const url = urlIn(program.stdout);
  const [, secret] = /Secret: +(dss_\w+)/.exec(program.stdout)!;
  const reader = await EventReader.open(`${url}/v1/events`, basic('admin', secret!));
  const create = program.stdout.split('\n').find((line) => line.includes('/v1/sessions') && line.includes('loginId'));
  await outputOf('bash', ['-c', create!], folder);
  await reader.untilEvents(1);
  expect(reader.events[0]).toMatchObject({ event: 'session.created', data: { loginId: 'user123', by: 'admin' } });
  program.signal('SIGTERM');
  expect(await program.exitCode()).toBe(0);
  await reader.until(({ isOver }) => isOver);
  expect(reader.isComplete).toBe(true);
});

describe('production', () => {
  const ADMIN_SECRET = randomBytes(32).toString('hex');

  it('does not start without the secret of an administrator, and lists every fault', async () => {
    const program = start({ NODE_ENV: 'production', PORT: '70000', METRICS_TOKEN: 'change-me-please' });
    expect(await program.exitCode()).toBe(1);
    expect(program.stderr).toMatch(/ADMIN_SECRET is required in production/);
    expect(program.stderr).toMatch(/PORT must be/);
    expect(program.stderr).toMatch(/METRICS_TOKEN is too short/);
    expect(program.stderr + program.stdout).not.toMatch(/\n\s+at |change-me-please/);
  });

  it('logs JSON, says where it listens, prints no secret, and serves', async () => {
    const program = start({ NODE_ENV: 'production', HOST: '127.0.0.1', ADMIN_SECRET });
    await program.printed('is listening on');
    const url = urlIn(program.stdout);
    expect((await send(`${url}/v1/counts`, basic('admin', ADMIN_SECRET))).status).toBe(200);
    await program.printed('countOnline');
    const lines = program.stdout.trim().split('\n');
    for (const line of lines)
      expect(JSON.parse(line)).toMatchObject({ level: expect.any(String), message: expect.anything() });
    expect(program.stdout + program.stderr).not.toContain(ADMIN_SECRET);
    expect(program.stdout).toContain(MEMORY_WARNING);
  });
});

describe('a start that fails', () => {
  it.each([
    ['redis', 'redis://user:canary@127.0.0.1', 'the username or password is wrong'],
    ['redis', 'redis://user:canary@127.0.0.1:port', 'url contains an invalid host or port'],
    ['postgres', 'postgres://user:canary@127.0.0.1:port', 'url must look like postgres://'],
  ])('on %s, for %s, says what is wrong, without its password', async (kind, url, fault) => {
    const SESSION_STORAGE_URL = url.replace(/1$/, `1:${redis.port}`);
    const program = start({ SESSION_STORAGE: kind, SESSION_STORAGE_URL });
    expect(await program.exitCode()).toBe(1);
    expect(program.stderr).toContain(fault);
    expect(program.stdout + program.stderr).not.toMatch(/canary|\n\s+at /);
  });

  it('for a port that is taken says so, and ends', async () => {
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
