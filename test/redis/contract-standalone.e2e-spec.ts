import { afterAll, beforeAll } from '@jest/globals';
import { describeSessionStorage } from 'nestjs-distributed-session/testing';
import { redisFixture } from '../support/redis/redis-fixture.js';
import { RedisServer } from '@distributed-session/test-servers/redis/redis-server.js';

let server: RedisServer;

beforeAll(async () => {
  server = await RedisServer.start();
});

afterAll(async () => {
  await server.stop();
});

describeSessionStorage(
  'RedisSessionStorage on one server',
  redisFixture(() => ({ options: { url: server.url }, servers: [server] })),
  { severalInstances: true, dump: true },
);
