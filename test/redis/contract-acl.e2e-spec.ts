import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll } from '@jest/globals';
import { describeSessionStorage } from 'nestjs-distributed-session/testing';
import { redisFixture } from '../support/redis/redis-fixture.js';
import { RedisServer } from '@distributed-session/test-servers/redis/redis-server.js';

let server: RedisServer;

beforeAll(async () => {
  server = await RedisServer.start();
  const [, name, ...rules] = (await readFile('docs/redis-acl/read-write.acl', 'utf8')).trim().split(' ');
  await server.call('ACL', 'SETUSER', name!, ...rules, '>password-of-the-test');
});

afterAll(async () => {
  await server.stop();
});

describeSessionStorage(
  'RedisSessionStorage as a user with no more rights than docs/redis-acl/read-write.acl gives',
  redisFixture(() => ({
    options: { url: `redis://ds-read-write:password-of-the-test@127.0.0.1:${server.port}`, keyPrefix: 'ds' },
    servers: [server],
  })),
  { severalInstances: true, dump: true },
);
