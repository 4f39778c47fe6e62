import { readFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { OptionsError } from 'nestjs-distributed-session';
import { RedisSessionStorage } from 'nestjs-distributed-session/redis';
import { RedisServer } from '@distributed-session/test-servers/redis/redis-server.js';
import { describeReadOnlyUser } from '../server-storage-suite/read-only-user.topic.js';
import { settle } from '../support/storage/settled-call.js';
import { created, WRITES } from '../support/storage/storage-calls.js';

const PASSWORD = 'password-of-the-test';

let server: RedisServer;
const opened: RedisSessionStorage[] = [];

beforeAll(async () => {
  server = await RedisServer.start();
  for (const name of ['read-only', 'read-write']) {
    const [, user, ...rules] = (await readFile(`docs/redis-acl/${name}.acl`, 'utf8')).trim().split(' ');
    await server.call('ACL', 'SETUSER', user!, ...rules, `>${PASSWORD}`);
  }
});

afterEach(async () => {
  for (const storage of opened.splice(0)) await storage.close();
  await server.call('FLUSHALL');
});

afterAll(() => server.stop());

async function connectAs(user: string): Promise<RedisSessionStorage> {
  const storage = new RedisSessionStorage({ url: `redis://${user}:${PASSWORD}@127.0.0.1:${server.port}` });
  opened.push(storage);
  await storage.connect();
  return storage;
}

describeReadOnlyUser('RedisSessionStorage', {
  owner: () => connectAs('ds-read-write'),
  reader: () => connectAs('ds-read-only'),
  solution: 'does not allow its user',
  note: 'its user',
});

describe('RedisSessionStorage with the rights of read-only.acl', () => {
  test('rejects every write before it reaches a session', async () => {
    const [writer, reader] = [await connectAs('ds-read-write'), await connectAs('ds-read-only')];
    const session = await created(writer, 'alice');
    await server.resetStatistics();
    for (const write of Object.values(WRITES)) {
      expect(await settle(() => write(reader, session))).toMatchObject({ outcome: 'ERR_STORAGE_UNAVAILABLE' });
    }
    expect((await server.commandCounts())['hset'] ?? 0).toBe(0);
    expect(await writer.count()).toEqual({ sessions: 1, logins: 1 });
  });
});

describe('RedisSessionStorage with incomplete rights', () => {
  test.each([
    ['-publish', 'PUBLISH'],
    ['-zadd', 'ZADD'],
    ['-hget', 'HGET'],
    ['resetchannels', 'SUBSCRIBE, PUBLISH'],
  ])(
    'rejects a user without a necessary right (%s) at start, before a script could stop half-way',
    async (rule, missing) => {
      const [, , ...rules] = (await readFile('docs/redis-acl/read-write.acl', 'utf8')).trim().split(' ');
      await server.call('ACL', 'SETUSER', 'lacking', 'reset', ...rules, `>${PASSWORD}`, rule);
      const rejected: unknown = await connectAs('lacking').catch((error: unknown) => error);
      expect(rejected).toBeInstanceOf(OptionsError);
      expect((rejected as OptionsError).errors).toEqual([
        `its user may not run ${missing} on the keys of this library: see docs/redis-acl`,
      ]);
    },
  );

  test('rejects a user whose rights are for another prefix', async () => {
    const url = `redis://ds-read-write:${PASSWORD}@127.0.0.1:${server.port}`;
    const storage = new RedisSessionStorage({ url, keyPrefix: 'other' });
    await expect(storage.connect()).rejects.toMatchObject({ message: expect.stringContaining('its user') });
  });
});
