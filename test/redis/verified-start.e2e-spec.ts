import { describe, expect, test } from '@jest/globals';
import { RedisSessionStorage } from 'nestjs-distributed-session/redis';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import { type RespInterference, RespProxy } from '@distributed-session/test-servers/proxy/resp-proxy.js';
import { RedisServer } from '@distributed-session/test-servers/redis/redis-server.js';
import type { RedisSettings } from '@distributed-session/test-servers/redis/redis-settings.js';
import { changeBulks, errorsAt, useInterference } from '../support/redis/interfered-server.js';

const SCRIPTS = ['eval', 'evalsha', 'eval_ro', 'evalsha_ro'];
const context = useInterference();
const isScript = ([name]: readonly string[]) => SCRIPTS.includes(name!.toLowerCase());
const TIME = Buffer.from('*2\r\n$10\r\n1764400000\r\n$6\r\n123456\r\n');
let calls = 0;
const backwards = () => {
  const seconds = String(2_000_000_000 - (calls += 1));
  return Buffer.from(`*2\r\n$10\r\n${seconds}\r\n$1\r\n0\r\n`);
};

describe('RedisSessionStorage.connect() is refused, in one sentence with the way out, by', () => {
  const proxies: [string, RespInterference, RegExp][] = [
    [
      'a proxy that treats replies as text',
      { change: (reply) => changeBulks(reply, (value) => Buffer.from(value.toString('utf8'), 'utf8')) },
      /^it changes values \(\d+ bytes became \d+, and at position \d+, [0-9a-f]+ became [0-9a-f]+\): connect past the proxy that treats them as text$/u,
    ],
    [
      'a proxy that cuts long values',
      { change: (reply) => changeBulks(reply, (value) => value.subarray(0, 8_000)) },
      /^it changes values \(\d+ bytes became 8000, and at position 8000, \w+ became nothing\): connect past the proxy/u,
    ],
    [
      'a proxy that changes only what native commands read',
      {
        change: (reply, [name]) => (/^hget$/iu.test(name!) ? changeBulks(reply, (value) => value.subarray(1)) : reply),
      },
      /^what it stores is read back differently by HGET \(.*\): connect past the proxy that treats values as text$/u,
    ],
    [
      'a proxy that answers TIME with a constant',
      { answer: ([name]) => (/^time$/iu.test(name!) ? TIME : undefined) },
      /^its clock stands still: TIME returned 1764400000123.* twice: correct the server's clock, or connect past the proxy that answers TIME$/u,
    ],
    [
      'a clock that runs backwards',
      { answer: ([name]) => (/^time$/iu.test(name!) ? backwards() : undefined) },
      /^its clock runs backwards: TIME returned \d+, then \d+: correct the server's clock/u,
    ],
    [
      'a proxy that drops the messages to subscribers',
      { isLost: () => true },
      /^it delivers no messages to subscribers: heartbeats were published on ds:changes, and none arrived within \d+ ms\. Connect past the proxy/u,
    ],
    [
      'a proxy that rejects SUBSCRIBE',
      {
        answer: ([name]) =>
          /^subscribe$/iu.test(name!) ? Buffer.from("-ERR unknown command 'subscribe'\r\n") : undefined,
      },
      /^its change feed does not work: The change feed cannot subscribe \(ERR\): Redis rejects it/u,
    ],
    [
      'a proxy that rejects scripts',
      { answer: (command) => (isScript(command) ? Buffer.from('-ERR unsupported command\r\n') : undefined) },
      /^it does not run the scripts of this library \("ERR unsupported command"\): use a server whose EVAL and Lua are those of Redis 7\.0 or later$/u,
    ],
    [
      'a proxy in front of several servers',
      {
        answer: (command) =>
          isScript(command) && Number(command[2]) > 1
            ? Buffer.from("-CROSSSLOT Keys in request don't hash to the same slot\r\n")
            : undefined,
      },
      /^it does not keep keys with the same hash tag together \(CROSSSLOT\): connect to the cluster itself/u,
    ],
    [
      'a server that applies a write twice',
      { change: (reply) => Buffer.from(reply.toString('latin1').replace('$8\r\nconflict', '$7\r\nwritten'), 'latin1') },
      /^it applies two writes that expect the same version \(the first was written, the second written\)/u,
    ],
    [
      'a server with another precision of scores',
      {
        change: (reply) =>
          Buffer.from(reply.toString('latin1').replace('$16\r\n9007199254740990', '$16\r\n9.00719925474e15'), 'latin1'),
      },
      /^(?:ZSCORE|string\.format|INCR).* returns 9\.00719925474e15 instead of 9007199254740990/u,
    ],
    [
      'a server whose scripts return numbers as text',
      {
        change: (reply) =>
          Buffer.from(reply.toString('latin1').replaceAll(':8999999999999999\r\n', '$6\r\n8.9e15\r\n'), 'latin1'),
      },
      /^a script's number 8999999999999999 arrives as 8\.9e15: use a server/u,
    ],
  ];

  test.each(proxies)('%s', async (_name, interference, sentence) => {
    const { url } = await context.proxied(interference);
    const errors = await errorsAt(url);
    expect(errors).toEqual([expect.stringMatching(sentence)]);
    expect(await context.server.call('KEYS', '*probe*')).toEqual([]);
  });

  const configurations: [string, RedisSettings, RegExp][] = [
    ...['EVAL', 'EVALSHA_RO', 'EVAL_RO'].map((name): [string, RedisSettings, RegExp] => [
      `a server without ${name}`,
      { 'rename-command': `${name} ""` },
      new RegExp(
        `^it does not run the scripts of this library \\("ERR unknown command '${name.toLowerCase()}'.*"\\)`,
        'iu',
      ),
    ]),
    ...['HSET', 'ZADD', 'PEXPIREAT', 'SUBSCRIBE', 'HDEL'].map((name): [string, RedisSettings, RegExp] => [
      `a server without ${name}`,
      { 'rename-command': `${name} ""` },
      new RegExp(
        `^it does not have ${name}: remove rename-command from its configuration, or use another server$`,
        'u',
      ),
    ]),
  ];

  test.each(configurations)('%s', async (_name, settings, sentence) => {
    const other = await RedisServer.start({ settings });
    context.after(async () => other.stop());
    expect(await errorsAt(other.url)).toEqual([expect.stringMatching(sentence)]);
  });
});

describe('RedisSessionStorage.connect() is refused, although INFO shows nothing, by', () => {
  const hidden: RespInterference = {
    answer: ([name]) => (/^info$/iu.test(name!) ? Buffer.from('-NOPERM no permissions\r\n') : undefined),
  };

  test('a replica, which accepts no writes', async () => {
    const replica = await RedisServer.start({ settings: { replicaof: `127.0.0.1 ${context.server.port}` } });
    context.after(async () => replica.stop());
    const proxy = await RespProxy.start(replica.port, hidden);
    context.after(async () => proxy.stop());
    const sentence = 'it is a replica, which accepts no writes: use the address of its master, or of its Sentinels';
    await eventually(async () => (await errorsAt(proxy.url))[0] === sentence);
    expect(await errorsAt(proxy.url)).toEqual([sentence]);
  });

  test.each(['evalsha_ro', 'evalsha'])('a user who may not run %s', async (command) => {
    await context.server.call('ACL', 'SETUSER', 'limited', 'on', '>password', '~*', '&*', '+@all', `-${command}`);
    const { port } = await context.proxied(hidden);
    expect(await errorsAt(`redis://limited:password@127.0.0.1:${port}`)).toEqual([
      'its user may not run scripts on the keys of this library (NOPERM): see docs/redis-acl',
    ]);
  });
});

describe('RedisSessionStorage.connect()', () => {
  test('leaves nothing but the claim of the store, also when ten processes start at once', async () => {
    const fresh = await RedisServer.start();
    context.after(async () => fresh.stop());
    const storages = Array.from({ length: 10 }, () => new RedisSessionStorage({ url: fresh.url, deadlineMs: 5_000 }));
    await Promise.all(storages.map(async (storage) => storage.connect()));
    const keys = (await fresh.call('KEYS', '*')) as string[];
    expect(keys.filter((key) => !/^\{ds(?::[0-9a-f]{2})?\}:(?:meta|b)$/u.test(key))).toEqual([]);
    await Promise.all(storages.map(async (storage) => storage.close()));
  });
});
