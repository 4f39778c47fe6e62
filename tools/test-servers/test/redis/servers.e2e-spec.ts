import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import ts from 'typescript';
import { eventually } from '../../src/eventually.js';
import { freePort } from '../../src/free-port.js';
import { ROOT } from '../../../../test/support/packed-library.js';
import { withRedis } from '../../src/redis/redis-connection.js';
import { RedisServer, type RedisServerOptions } from '../../src/redis/redis-server.js';
import { redisConf } from '../../src/redis/redis-settings.js';

const servers: RedisServer[] = [];

async function startServer(options?: RedisServerOptions): Promise<RedisServer> {
  const server = await RedisServer.start(options);
  servers.push(server);
  return server;
}

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.stop()));
});

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe('RedisServer', () => {
  it('responds once it has started and leaves no process or folder behind', async () => {
    const server = await startServer();
    expect(await server.call('SET', 'key', 'value')).toBe('OK');
    expect(await server.call('CONFIG', 'GET', 'save')).toEqual(['save', '']);
    await server.stop();
    expect(isRunning(server.pid)).toBe(false);
    expect(existsSync(server.folder)).toBe(false);
  });

  it("rejects with the server's log if the server ends during its start", async () => {
    await expect(RedisServer.start({ settings: { 'no-such-setting': 1 } })).rejects.toThrow('no-such-setting');
  });

  it('keeps its port and folder when it is killed and restarted', async () => {
    const server = await startServer({ settings: { appendonly: 'yes', appendfsync: 'always' } });
    await server.call('SET', 'key', 'value');
    const { pid } = server;
    await server.kill();
    expect(isRunning(pid)).toBe(false);
    await expect(server.call('PING')).rejects.toThrow('ECONNREFUSED');
    await server.restart();
    expect(await server.call('GET', 'key')).toBe('value');
    expect(server.pid).not.toBe(pid);
  });

  it('does not respond while frozen and then resumes', async () => {
    const [server, other] = [await startServer(), await startServer()];
    server.freeze();
    let isAnswered = false;
    const reply = server.call('PING').finally(() => (isAnswered = true));
    // As long as another server takes to answer many later requests.
    for (let n = 0; n < 20; n++) expect(await other.call('PING')).toBe('PONG');
    expect(isAnswered).toBe(false);
    server.resume();
    expect(await reply).toBe('PONG');
  });

  it('waits until replicas have its current data, not their earlier data', async () => {
    const master = await startServer();
    const replica = await startServer({ settings: { replicaof: `${master.host} ${master.port}` } });
    await eventually(async () => (await replica.info('replication', 'master_link_status')) === 'up');
    replica.freeze();
    await master.call('SET', 'key', 'value');
    const waiting = master.waitForReplicas(1);
    await eventually(async () => (await master.info('clients', 'blocked_clients')) === '1');
    replica.resume();
    await waiting;
    expect(await replica.call('GET', 'key')).toBe('value');
  });

  it('responds while it loads a large file', async () => {
    const server = await startServer({
      settings: {
        'enable-debug-command': 'local',
        'key-load-delay': 500,
        'loading-process-events-interval-bytes': 1_024,
      },
    });
    await server.call('DEBUG', 'POPULATE', '1000');
    await server.call('SAVE');
    await server.kill();
    await server.restart({ untilLoaded: false });
    await expect(server.call('GET', 'key:1')).rejects.toThrow('LOADING');
    await eventually(async () => (await server.info('persistence', 'loading')) === '0');
    expect(await server.call('DBSIZE')).toBe(1_000);
  });

  it('counts the calls of clients and not its own', async () => {
    const server = await startServer();
    await server.resetStatistics();
    await server.call('SET', 'key', 'value');
    await server.call('GET', 'key');
    await server.call('GET', 'key');
    expect(await server.commandCounts()).toEqual({ 'config|resetstat': 1, set: 1, get: 2 });
  });

  it('describes its keys and returns their content', async () => {
    const server = await startServer();
    await server.call('SET', 'binary', Buffer.from([0xff, 0x00, ...Buffer.from('needle-1'), 0xfe]), 'EX', 100);
    await server.call('HSET', 'hash', 'field', 'needle-2');
    await server.call('ZADD', 'sorted', 5, 'needle-3');
    await server.call('SADD', 'set', 'needle-4');
    await server.call('RPUSH', 'list', 'needle-5');
    await server.call('XADD', 'stream', '*', 'field', 'needle-6');
    expect(await server.describeKeys('*[hr]y')).toEqual([{ key: 'binary', type: 'string', ttl: 100 }]);
    expect((await server.describeKeys()).map(({ key, type, ttl }) => [key, type, ttl])).toEqual([
      ['binary', 'string', 100],
      ['hash', 'hash', -1],
      ['list', 'list', -1],
      ['set', 'set', -1],
      ['sorted', 'zset', -1],
      ['stream', 'stream', -1],
    ]);
    const dump = await server.dump();
    for (const number of [1, 2, 3, 4, 5, 6]) expect(dump).toContain(`needle-${number}`);
  });

  it('admits the users of its settings', async () => {
    const server = await startServer({
      settings: { user: ['default off', 'reader on >secret ~* +get +ping'] },
      credentials: { username: 'reader', password: 'secret' },
    });
    expect(await server.call('GET', 'key')).toBeNull();
    await expect(server.call('SET', 'key', 'value')).rejects.toThrow('NOPERM');
  });
});

describe('RedisProcess', () => {
  it('ends with the process that started it, even if that process is killed', async () => {
    const port = await freePort();
    const folder = await mkdtemp(join(tmpdir(), 'redis-'));
    await writeFile(join(folder, 'redis.conf'), redisConf({ port }));
    const file = join(ROOT, 'tools/test-servers/src/redis/redis-process.ts');
    const { outputText } = ts.transpileModule(readFileSync(file, 'utf8'), {
      compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 },
    });
    const program = `${outputText}; new RedisProcess(process.argv[1]); setInterval(() => undefined, 1_000);`;
    const parent = spawn(process.execPath, ['--input-type=module', '-e', program, folder], { stdio: 'ignore' });
    const answers = () => withRedis(port, undefined, (redis) => redis.ping());
    await eventually(() => answers().then(Boolean, () => false));
    parent.kill('SIGKILL');
    await eventually(() => !existsSync(folder));
    // A server that is ending may still accept a connection and close it.
    await eventually(() => answers().then(() => true, isRefused));
    await expect(answers()).rejects.toThrow('ECONNREFUSED');
  });
});

function isRefused(error: Error): boolean {
  return error.message.includes('ECONNREFUSED');
}
