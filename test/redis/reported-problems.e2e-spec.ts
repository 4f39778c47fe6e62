import { describe, expect, test } from '@jest/globals';
import { RedisSessionStorage } from 'nestjs-distributed-session/redis';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import { CapturedOutput } from '../support/captured-output.js';
import { bulk, errorsAt, useInterference } from '../support/redis/interfered-server.js';
import { created } from '../support/storage/storage-calls.js';

const context = useInterference();

describe('a server that is not Redis', () => {
  const PRODUCTS: [string, string, RegExp][] = [
    ['Valkey', 'valkey_version:8.1.10', /LOG.*The server is Valkey 8\.1\.10, not Redis\. It works as Redis does\./u],
    [
      'Dragonfly',
      'dragonfly_version:df-v1.40.1',
      /WARN.*Dragonfly df-v1\.40\.1, not Redis\..*this library is not tested on it/u,
    ],
    ['Kvrocks', 'kvrocks_version:2.12.0', /WARN.*The server is Kvrocks 2\.12\.0, not Redis/u],
  ];

  test.each(PRODUCTS)('is reported once, and judged by its behaviour: %s', async (_name, line, expected) => {
    // As these products do, it names an old version of Redis.
    const text = `# Server\r\nredis_version:4.0.0\r\n${line}\r\nrole:master\r\n`;
    const { url } = await context.proxied({
      answer: ([name]) => (/^info$/iu.test(name!) ? bulk(Buffer.from(text)) : undefined),
    });
    const [output] = await errorsAt(url);
    expect(output).toMatch(/^It started/u);
    expect(output!.split('\n').filter((each) => expected.test(each))).toHaveLength(1);
  });

  test('is refused as an old Redis if it says that it is one', async () => {
    const text = `# Server\r\nredis_version:6.2.0\r\nrole:master\r\n`;
    const { url } = await context.proxied({
      answer: ([name]) => (/^info$/iu.test(name!) ? bulk(Buffer.from(text)) : undefined),
    });
    expect(await errorsAt(url)).toEqual(['it runs Redis 6.2.0: version 7.0 or later is required']);
  });
});

describe('a change feed that stops working', () => {
  test('reports the error of the server in the log and in the health, until it works again', async () => {
    const proxy = await context.proxied({});
    const output = new CapturedOutput();
    const storage = new RedisSessionStorage({ url: proxy.url, heartbeatIntervalMs: 100, deadlineMs: 5_000 });
    await storage.connect();
    expect(await storage.ping()).toEqual({ writable: true, notes: [] });
    proxy.interference = {
      answer: ([name]) =>
        /^subscribe$/iu.test(name!) ? Buffer.from('-NOPERM no permissions on the channel\r\n') : undefined,
    };
    await context.server.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    const problem = expect.stringMatching(
      /^The change feed cannot subscribe \(NOPERM\): Redis does not allow its user/u,
    );
    await eventually(async () => (await storage.ping()).notes.length > 0);
    expect(await storage.ping()).toEqual({ writable: true, notes: [problem] });
    expect(output.text).toMatch(/WARN.*The change feed cannot subscribe \(NOPERM\)/u);
    proxy.interference = {};
    await eventually(async () => (await storage.ping()).notes.length === 0);
    expect(output.text).toMatch(/The change feed works again/u);
    expect(await created(storage, 'ada')).toMatchObject({ version: 1 });
    await storage.close();
    output.release();
  });

  test('reports that no messages arrive, until they arrive', async () => {
    const proxy = await context.proxied({});
    const storage = new RedisSessionStorage({ url: proxy.url, heartbeatIntervalMs: 50, deadlineMs: 5_000 });
    await storage.connect();
    proxy.interference = { isLost: () => true };
    const silent = expect.stringContaining('receives no heartbeats, although they are sent');
    await eventually(async () => (await storage.ping()).notes.length > 0);
    expect(await storage.ping()).toEqual({ writable: true, notes: [silent] });
    proxy.interference = {};
    await eventually(async () => (await storage.ping()).notes.length === 0);
    await storage.close();
  });
});
