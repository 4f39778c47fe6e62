import { randomUUID } from 'node:crypto';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { OptionsError, StorageUnavailableError } from 'nestjs-distributed-session';
import { RedisSessionStorage, type RedisSessionStorageOptions } from 'nestjs-distributed-session/redis';
import { CapturedOutput } from '../support/captured-output.js';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import { freePort } from '@distributed-session/test-servers/free-port.js';
import { RedisServer } from '@distributed-session/test-servers/redis/redis-server.js';
import { withRedis } from '@distributed-session/test-servers/redis/redis-connection.js';
import { settle } from '../support/storage/settled-call.js';
import { created, READS, WRITES } from '../support/storage/storage-calls.js';
import { TcpProxy } from '@distributed-session/test-servers/proxy/tcp-proxy.js';
import { RECOVERY_MS } from '../support/storage/recovery-time.js';

/** Whoever finds one of these in a message, a log or an error has found a leak. */
const CANARIES = ['canary-user', 'canary-password', 'canary%2Dpassword', 'canary-tag-key'];
const TAG_KEY = 'canary-tag-key-of-the-test';

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

interface FailedStart {
  readonly error: Error;
  /** Everything that was said about it: logs, messages, and the error in full. */
  readonly said: string;
  readonly ms: number;
}

async function failedStart(options: RedisSessionStorageOptions): Promise<FailedStart> {
  const output = new CapturedOutput();
  const startedAt = performance.now();
  const keyPrefix = `ds:${randomUUID()}`;
  const storage = new RedisSessionStorage({ keyPrefix, tagKey: TAG_KEY, connectDeadlineMs: 2_000, ...options });
  try {
    const error = await storage.connect().then(
      () => undefined,
      (thrown: Error) => thrown,
    );
    if (!error) throw new Error('It started.');
    const parts = [error.message, error.stack, inspect(error, { depth: 9, showHidden: true }), inspect(error.cause)];
    return { error, said: [output.text, ...parts].join('\n'), ms: performance.now() - startedAt };
  } finally {
    await storage.close();
    output.release();
  }
}

function expectNoCanary(said: string): void {
  expect(CANARIES.filter((canary) => said.includes(canary))).toEqual([]);
}

function thrownBy(make: () => unknown): unknown {
  try {
    return make();
  } catch (error) {
    return error;
  }
}

const LOGIN = 'canary-user:canary%2Dpassword';

describe('a start with options that Redis does not take', () => {
  const refused: [string, () => RedisSessionStorageOptions, RegExp][] = [
    [
      'a wrong password',
      () => ({ url: `redis://:canary%2Dpassword@127.0.0.1:${guarded.port}` }),
      /username or password is wrong/u,
    ],
    [
      'an unknown user',
      () => ({ url: `redis://${LOGIN}@127.0.0.1:${guarded.port}` }),
      /username or password is wrong/u,
    ],
    [
      'an unknown user where none is needed',
      () => ({ url: `redis://${LOGIN}@127.0.0.1:${server.port}` }),
      /username or password is wrong/u,
    ],
    ['no password where one is needed', () => ({ url: guarded.url }), /password is required/u],
    ['a database that is not there', () => ({ url: `${server.url}/9999` }), /no database 9999: use another one/u],
  ];

  test.each(refused)(
    '%s: it is refused at once, with the way out and without a secret',
    async (_name, options, says) => {
      const { error, said, ms } = await failedStart(options());
      expect(error).toBeInstanceOf(OptionsError);
      expect(error.message).toMatch(says);
      expect(ms).toBeLessThan(1_500);
      expectNoCanary(said);
    },
  );

  test('a URL that cannot be read: it is refused before anything is opened, and is not repeated', () => {
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

  test('a replica: it is refused, and the error asks for its master', async () => {
    const replica = await RedisServer.start({ settings: { replicaof: `127.0.0.1 ${server.port}` } });
    try {
      const { error } = await failedStart({ url: replica.url });
      expect(error).toBeInstanceOf(OptionsError);
      expect(error.message).toMatch(/is a replica.*use the address of its master/u);
    } finally {
      await replica.stop();
    }
  });

  test('a policy that evicts: it is refused, or accepted with a warning', async () => {
    await server.call('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru');
    const { error } = await failedStart({ url: server.url });
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

  test('a user that may write and not publish: it does not start, so nothing is written in part', async () => {
    await server.call('ACL', 'SETUSER', 'silent', 'on', '>canary-password', '~*', '+@all', 'resetchannels');
    const { error, said } = await failedStart({ url: `redis://silent:canary-password@127.0.0.1:${server.port}` });
    expect(error.message).toMatch(/its user.*docs\/redis/u);
    expectNoCanary(said);
  });

  test('a user that loses a right while it works: a write that got half way is not told as not applied', async () => {
    await server.call('ACL', 'SETUSER', 'half', 'on', '>password-of-half', '~*', '+@all', 'allchannels');
    const storage = new RedisSessionStorage({ url: `redis://half:password-of-half@127.0.0.1:${server.port}` });
    await storage.connect();
    await server.call('ACL', 'SETUSER', 'half', '-publish');
    const told = await settle(() => created(storage, 'ada'));
    await storage.close();
    expect(told).toMatchObject({
      outcome: 'ERR_STORAGE_OUTCOME_UNKNOWN',
      message: expect.stringContaining('docs/redis.md'),
    });
  });
});

describe('a start without a server', () => {
  test('is given up within its deadline, with what to look at and without a secret', async () => {
    const { error, said, ms } = await failedStart({ url: `redis://${LOGIN}@127.0.0.1:${await freePort()}` });
    expect(error).toBeInstanceOf(StorageUnavailableError);
    expect(error.message).toMatch(
      /cannot be reached \(ECONNREFUSED\)\. Check the address, and that the server is running\./u,
    );
    expect(ms).toBeGreaterThan(1_900);
    expect(ms).toBeLessThan(3_500);
    expectNoCanary(said);
  });

  test('is given up within its deadline too where a connection opens and nothing answers', async () => {
    const proxy = await TcpProxy.start(server);
    proxy.blackHole();
    const { error, ms } = await failedStart({ url: `redis://127.0.0.1:${proxy.port}` });
    await proxy.stop();
    expect(error).toBeInstanceOf(StorageUnavailableError);
    expect(ms).toBeLessThan(3_500);
  });

  test('waits for one that is started meanwhile, and works', async () => {
    const port = await freePort();
    const storage = new RedisSessionStorage({ url: `redis://127.0.0.1:${port}` });
    const connecting = storage.connect();
    let isConnected = false;
    void connecting.then(() => (isConnected = true));
    // It has tried, and waits.
    await expect(withRedis(port, undefined, async (redis) => redis.ping())).rejects.toMatchObject({
      code: 'ECONNREFUSED',
    });
    expect(isConnected).toBe(false);
    const late = await RedisServer.start({ port });
    const startedAt = performance.now();
    await connecting;
    expect(performance.now() - startedAt).toBeLessThan(RECOVERY_MS);
    expect(await created(storage, 'ada')).toMatchObject({ version: 1 });
    await storage.close();
    await late.stop();
  });

  test('that has failed can be tried again, and is then as any other', async () => {
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

describe('while the server is away', () => {
  test('no log, error or cause holds a password, a login, a payload or a key', async () => {
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
    const said = [output.text, ...errors.map((error) => inspect(error, { depth: 9, showHidden: true }))].join('\n');
    expect(said).toContain('Lost the connection to Redis');
    expect([...CANARIES, 'canary-payload', session.sessionId].filter((canary) => said.includes(canary))).toEqual([]);
    await own.stop();
  });
});
