import { randomUUID } from 'node:crypto';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { OptionsError, StorageUnavailableError } from 'nestjs-distributed-session';
import { RedisSessionStorage } from 'nestjs-distributed-session/redis';
import { CapturedOutput } from '../support/captured-output.js';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import { freePort } from '@distributed-session/test-servers/free-port.js';
import { RedisServer } from '@distributed-session/test-servers/redis/redis-server.js';
import { withRedis } from '@distributed-session/test-servers/redis/redis-connection.js';
import { settle } from '../support/storage/settled-call.js';
import { created, READS, WRITES } from '../support/storage/storage-calls.js';
import { TcpProxy } from '@distributed-session/test-servers/proxy/tcp-proxy.js';
import { recoveryMs } from '../support/storage/recovery-time.js';
import { slackMs } from '../support/storage/slack.js';

/** None of these may occur in a message, a log or an error. */
const CANARIES = ['canary-user', 'canary-password', 'canary%2Dpassword', 'canary-tag-key'];
const TAG_KEY = 'canary-tag-key-of-the-test';
const CONNECT_DEADLINE_MS = 2_000;
const LOGIN = 'canary-user:canary%2Dpassword';
const WRONG_LOGIN = /username or password is wrong/u;

let server: RedisServer;
let guarded: RedisServer;

beforeAll(async () => {
  server = await RedisServer.start();
  const credentials = { password: 'password-of-the-server' };
  guarded = await RedisServer.start({ settings: { requirepass: credentials.password }, credentials });
});

afterAll(async () => {
  await Promise.all([server.stop(), guarded.stop()]);
});

describe('RedisSessionStorage.connect() with options that Redis rejects', () => {
  test.each<[string, () => string, RegExp]>([
    ['a wrong password', () => `redis://:canary%2Dpassword@127.0.0.1:${guarded.port}`, WRONG_LOGIN],
    ['an unknown user', () => `redis://${LOGIN}@127.0.0.1:${guarded.port}`, WRONG_LOGIN],
    ['an unknown user on a server without passwords', () => `redis://${LOGIN}@127.0.0.1:${server.port}`, WRONG_LOGIN],
    ['a missing password', () => guarded.url, /password is required/u],
    ['a database that does not exist', () => `${server.url}/9999`, /no database 9999: use another one/u],
  ])('rejects %s without a retry, with a solution and without a secret', async (_name, url, message) => {
    const { error, output, ms } = await failedStart(url());
    expect(error).toBeInstanceOf(OptionsError);
    expect(error.message).toMatch(message);
    // Not the result of the connect deadline.
    expect(ms).toBeLessThan(CONNECT_DEADLINE_MS);
    expectNoCanary(output);
  });

  test('rejects an invalid URL in the constructor without repeating it', () => {
    for (const url of [
      `http://${LOGIN}@127.0.0.1`,
      `redis://${LOGIN}@`,
      `redis://${LOGIN}@host:70000`,
      'redis://canary-user:canary-password%@host',
    ]) {
      const thrown = thrownBy(() => new RedisSessionStorage({ url }));
      expect(thrown).toBeInstanceOf(OptionsError);
      expectNoCanary(inspect(thrown, { depth: 9, showHidden: true }));
    }
  });

  test('rejects a replica and suggests its master', async () => {
    const replica = await RedisServer.start({ settings: { replicaof: `127.0.0.1 ${server.port}` } });
    try {
      const { error } = await failedStart(replica.url);
      expect(error).toBeInstanceOf(OptionsError);
      expect(error.message).toMatch(/is a replica.*use the address of its master/u);
    } finally {
      await replica.stop();
    }
  });

  test('rejects an eviction policy, or accepts it with a warning', async () => {
    await server.call('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru');
    const { error } = await failedStart(server.url);
    expect(error).toBeInstanceOf(OptionsError);
    expect(error.message).toMatch(/allkeys-lru.*set it to noeviction.*onEvictionPolicy: 'warn'/u);
    const output = new CapturedOutput();
    const storage = new RedisSessionStorage({ url: server.url, onEvictionPolicy: 'warn' });
    await storage.connect();
    await storage.close();
    output.release();
    await server.call('CONFIG', 'SET', 'maxmemory-policy', 'noeviction');
    expect(output.text).toMatch(/WARN.*allkeys-lru.*set it to noeviction/u);
  });

  test('rejects a user that may write but not publish, so that no write stops half-way', async () => {
    await server.call('ACL', 'SETUSER', 'silent', 'on', '>canary-password', '~*', '+@all', 'resetchannels');
    const { error, output } = await failedStart(`redis://silent:canary-password@127.0.0.1:${server.port}`);
    expect(error.message).toMatch(/its user.*docs\/redis/u);
    expectNoCanary(output);
  });

  test('reports a write as unknown, not as unapplied, if the user has lost a right meanwhile', async () => {
    await server.call('ACL', 'SETUSER', 'half', 'on', '>password-of-half', '~*', '+@all', 'allchannels');
    const storage = new RedisSessionStorage({ url: `redis://half:password-of-half@127.0.0.1:${server.port}` });
    await storage.connect();
    await server.call('ACL', 'SETUSER', 'half', '-publish');
    const settled = await settle(() => created(storage, 'ada'));
    await storage.close();
    expect(settled).toMatchObject({
      outcome: 'ERR_STORAGE_OUTCOME_UNKNOWN',
      message: expect.stringContaining('docs/redis.md'),
    });
  });
});

describe('RedisSessionStorage.connect() without a server', () => {
  test('fails at its deadline with a hint and without a secret', async () => {
    const { error, output, ms } = await failedStart(`redis://${LOGIN}@127.0.0.1:${await freePort()}`);
    expect(error).toBeInstanceOf(StorageUnavailableError);
    expect(error.message).toMatch(
      /cannot be reached \(ECONNREFUSED\)\. Check the address, and that the server is running\./u,
    );
    expect(ms).toBeGreaterThan(0.95 * CONNECT_DEADLINE_MS);
    expect(ms).toBeLessThan(CONNECT_DEADLINE_MS + slackMs());
    expectNoCanary(output);
  });

  test('fails at its deadline if the connection opens but nothing responds', async () => {
    const proxy = await TcpProxy.start(server);
    proxy.blackHole();
    const { error, ms } = await failedStart(`redis://127.0.0.1:${proxy.port}`);
    await proxy.stop();
    expect(error).toBeInstanceOf(StorageUnavailableError);
    expect(ms).toBeLessThan(CONNECT_DEADLINE_MS + slackMs());
  });

  test('waits for a server that is starting, and works', async () => {
    const port = await freePort();
    const storage = new RedisSessionStorage({ url: `redis://127.0.0.1:${port}` });
    const connecting = storage.connect();
    let isConnected = false;
    void connecting.then(() => (isConnected = true));
    // The storage is waiting.
    await expect(withRedis(port, undefined, async (redis) => redis.ping())).rejects.toMatchObject({
      code: 'ECONNREFUSED',
    });
    expect(isConnected).toBe(false);
    const late = await RedisServer.start({ port });
    const startedAt = performance.now();
    await connecting;
    expect(performance.now() - startedAt).toBeLessThan(recoveryMs());
    expect(await created(storage, 'ada')).toMatchObject({ version: 1 });
    await storage.close();
    await late.stop();
  });

  test('can be called again after it has failed', async () => {
    const port = await freePort();
    const storage = new RedisSessionStorage({ url: `redis://127.0.0.1:${port}`, connectDeadlineMs: 100 });
    await expect(storage.connect()).rejects.toBeInstanceOf(StorageUnavailableError);
    await expect(storage.count()).rejects.toBeInstanceOf(StorageUnavailableError);
    const late = await RedisServer.start({ port });
    await eventually(async () => (await settle(() => storage.connect())).outcome === 'read');
    expect(await created(storage, 'ada')).toMatchObject({ version: 1 });
    await storage.close();
    await late.stop();
  });
});

describe('RedisSessionStorage without a server', () => {
  test('reveals no password, login id, payload or key in a log, error or cause', async () => {
    const settings = { requirepass: 'canary-password' };
    const own = await RedisServer.start({ settings, credentials: { password: settings.requirepass } });
    const output = new CapturedOutput();
    const storage = new RedisSessionStorage({
      url: `redis://:canary%2Dpassword@127.0.0.1:${own.port}`,
      tagKey: TAG_KEY,
    });
    await storage.connect();
    const session = await created(storage, 'canary-user', 'canary-payload');
    const calls = () => [...Object.values(WRITES), ...Object.values(READS)].map(async (call) => call(storage, session));
    own.freeze();
    const frozen = calls();
    await Promise.allSettled(frozen);
    await own.kill();
    await eventually(async () => (await settle(() => storage.count())).outcome === 'ERR_STORAGE_UNAVAILABLE');
    const errors = (await Promise.allSettled([...frozen, ...calls()])).map(
      (each) => each.status === 'rejected' && (each.reason as unknown),
    );
    await storage.close();
    output.release();
    expect(errors.every((error) => error instanceof Error)).toBe(true);
    const text = [output.text, ...errors.map((error) => inspect(error, { depth: 9, showHidden: true }))].join('\n');
    expect(text).toContain('Lost the connection to Redis');
    expect([...CANARIES, 'canary-payload', session.sessionId].filter((canary) => text.includes(canary))).toEqual([]);
    await own.stop();
  });
});

interface FailedStart {
  readonly error: Error;
  /** All output about it: logs, messages and the whole error. */
  readonly output: string;
  readonly ms: number;
}

async function failedStart(url: string): Promise<FailedStart> {
  const captured = new CapturedOutput();
  const startedAt = performance.now();
  const keyPrefix = `ds:${randomUUID()}`;
  const connectDeadlineMs = CONNECT_DEADLINE_MS;
  const storage = new RedisSessionStorage({ url, keyPrefix, tagKey: TAG_KEY, connectDeadlineMs });
  try {
    const error = await storage.connect().then(
      () => undefined,
      (thrown: Error) => thrown,
    );
    if (!error) throw new Error('It started.');
    const parts = [error.message, error.stack, inspect(error, { depth: 9, showHidden: true }), inspect(error.cause)];
    return { error, output: [captured.text, ...parts].join('\n'), ms: performance.now() - startedAt };
  } finally {
    await storage.close();
    captured.release();
  }
}

function expectNoCanary(output: string): void {
  expect(CANARIES.filter((canary) => output.includes(canary))).toEqual([]);
}

function thrownBy(make: () => unknown): unknown {
  try {
    return make();
  } catch (error) {
    return error;
  }
}
