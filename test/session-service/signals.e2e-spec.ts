import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, type Server, type Socket, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import { PostgresServer } from '@distributed-session/test-servers/postgres/postgres-server.js';
import { RedisServer } from '@distributed-session/test-servers/redis/redis-server.js';
import { BuiltProgram } from '../support/built-program.js';
import { basic } from '../support/credential-headers.js';
import { EventReader, closeReaders } from '../support/event-reader.js';
import { codeBlocks } from '../support/markdown.js';
import { ROOT } from '../support/packed-library.js';
import { clientOf } from '../support/service-client.js';

const ADMIN_SECRET = 'a7c1e5f09b3d2846a7d1c5e9f0b38264d6e2a9c4';
const headers = basic('admin', ADMIN_SECRET);
/** Longer than any test takes. */
const NEVER_MS = '300000';

const started: BuiltProgram[] = [];
const stores: { stop(): Promise<void> }[] = [];

afterEach(async () => {
  closeReaders();
  for (const program of started.splice(0)) {
    program.kill();
    await program.exitCode();
  }
  await Promise.all(stores.splice(0).map((store) => store.stop()));
});

/** Starts the built service with no other environment variables. */
function start(variables: Readonly<Record<string, string>>): BuiltProgram {
  const env = { PATH: process.env['PATH'], PORT: '0', ADMIN_SECRET, ...variables };
  const program = new BuiltProgram('session-service/main.js', { env, cwd: tmpdir() });
  started.push(program);
  return program;
}

async function startReady(variables: Readonly<Record<string, string>>) {
  const program = start(variables);
  await program.printed('/history');
  const url = /http:\/\/127\.0\.0\.1:\d+/.exec(program.stdout)![0];
  return { program, url, client: clientOf({ url }, headers) };
}

/** A store that accepts connections and never responds. */
class SilentStore {
  readonly #sockets = new Set<Socket>();

  private constructor(private readonly server: Server) {
    server.on('connection', (socket) => this.#sockets.add(socket.on('error', () => {})));
  }

  static async start(): Promise<SilentStore> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const store = new SilentStore(server);
    stores.push(store);
    return store;
  }

  get authority(): string {
    return `127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  get isInUse(): boolean {
    return this.#sockets.size > 0;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.server.close();
    await once(this.server, 'close');
  }
}

describe('After SIGTERM, the session service', () => {
  test('is not ready, and does everything else until the delay is over', async () => {
    const { program, url, client } = await startReady({ SHUTDOWN_DELAY_MS: NEVER_MS, SHUTDOWN_TIMEOUT_MS: NEVER_MS });
    const reader = await EventReader.open(`${url}/v1/events`, headers);
    expect((await client('GET /health/ready')).status).toBe(200);
    program.signal('SIGTERM');
    await eventually(async () => (await client('GET /health/ready')).status === 503);
    const ready = await client('GET /health/ready');
    expect(ready.json).toMatchObject({ status: 'shutting_down' });
    expect(ready.headers.get('connection')).toBe('close');
    expect((await client('GET /health/live')).status).toBe(200);
    expect((await client('POST /v1/sessions', { loginId: 'alice' })).status).toBe(201);
    await reader.untilEvents(1);
    expect([reader.types, reader.isOver]).toEqual([['session.created'], false]);
    expect((await EventReader.open(`${url}/v1/events`, headers)).status).toBe(200);
    // Npm and terminals repeat a signal.
    program.signal('SIGTERM');
    expect((await client('GET /health/live')).status).toBe(200);
    // A person does not wait for the delay.
    program.signal('SIGINT');
    expect(await program.exitCode()).toBe(0);
    await reader.untilOver();
    expect([reader.isComplete, program.stderr]).toEqual([true, '']);
  });

  test('stops by itself when the delay is over', async () => {
    const { program, client } = await startReady({ SHUTDOWN_DELAY_MS: '300' });
    const startedAt = performance.now();
    program.signal('SIGTERM');
    await eventually(async () => (await client('GET /health/ready')).status === 503);
    expect(await program.exitCode()).toBe(0);
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(290);
  });

  test.each(['redis', 'postgres'])('ends at once while its start waits for a silent %s', async (kind) => {
    const store = await SilentStore.start();
    const program = start({ SESSION_STORAGE: kind, SESSION_STORAGE_URL: `${kind}://${store.authority}/0` });
    await eventually(() => store.isInUse);
    program.signal('SIGTERM');
    // The start itself would fail, later and with 1.
    expect([await program.exitCode(), program.stderr]).toEqual([0, '']);
  });

  test.each([
    ['redis', async () => RedisServer.start()],
    ['postgres', async () => PostgresServer.start()],
  ] as const)('answers the last requests, and ends, while %s is frozen', async (kind, startStore) => {
    const store = await startStore();
    stores.push(store);
    const variables = { SESSION_STORAGE: kind, SESSION_STORAGE_URL: store.url, SHUTDOWN_DELAY_MS: NEVER_MS };
    const { program, client } = await startReady(variables);
    const created = await client<{ credential: string }>('POST /v1/sessions', { loginId: 'alice' });
    program.signal('SIGTERM');
    store.freeze();
    const { credential } = created.json;
    const { status, json } = await client('POST /v1/sessions/verify', { credential });
    expect([status, json]).toMatchObject([503, { code: 'ERR_STORAGE_UNAVAILABLE' }]);
    program.signal('SIGINT');
    expect(await program.exitCode()).toBe(0);
  });
});

describe('The documented command for production', () => {
  test('starts the process that receives the signals', async () => {
    const page = await readFile(join(ROOT, 'docs/session-service.md'), 'utf8');
    const block = codeBlocks(page).find(({ code }) => code.includes('NODE_ENV=production'))!;
    const words = block.code.trim().split('\n').at(-1)!.split(' ');
    const secretFile = join(tmpdir(), `secret-${process.pid}`);
    await writeFile(secretFile, ADMIN_SECRET, { mode: 0o600 });
    // Its files of secrets are those of a container.
    const variables = words.filter(isVariable).map((word) => word.split('=') as [string, string]);
    const env = variables.map(([name, value]) => [name, value.startsWith('/') ? secretFile : value]);
    const [command = '', ...args] = words.filter((word) => !isVariable(word));
    const child = spawn(command, args, {
      cwd: ROOT,
      detached: true,
      env: { ...Object.fromEntries(env), PATH: process.env['PATH'], PORT: '0', SHUTDOWN_DELAY_MS: '0' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const exited = once(child, 'exit');
    try {
      let output = '';
      child.stdout.on('data', (text: Buffer) => (output += text.toString('utf8')));
      while (!output.includes('is listening on')) await once(child.stdout, 'data');
      expect(JSON.parse(output.split('\n')[0]!)).toMatchObject({ pid: child.pid });
      child.kill('SIGTERM');
      expect(await exited).toEqual([0, null]);
    } finally {
      if (child.exitCode === null) process.kill(-child.pid!, 'SIGKILL');
      await Promise.all([exited, rm(secretFile)]);
    }
  });
});

/** Whether a word of a command line sets a variable. */
function isVariable(word: string): boolean {
  return /^[A-Z_]+=/.test(word);
}
