import { afterAll, beforeAll } from '@jest/globals';
import { describeSessionStorage } from 'nestjs-distributed-session/testing';
import { RedisServer } from '@distributed-session/test-servers/redis/redis-server.js';
import { redisFixture } from '../support/redis/redis-fixture.js';

let server: RedisServer;

beforeAll(async () => {
  server = await RedisServer.start();
});

afterAll(() => server.stop());

describeSessionStorage(
  'RedisSessionStorage with two tag keys',
  redisFixture(() => ({
    options: { url: server.url, tagKey: ['the tag key to use from now on', 'none'] },
    masters: async () => [server],
  })),
  { severalInstances: true, dump: true, unreadable: ['newer-format', 'corrupt'] },
);
