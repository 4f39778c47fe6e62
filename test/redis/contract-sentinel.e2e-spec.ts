import { afterAll, beforeAll } from '@jest/globals';
import { describeSessionStorage } from 'nestjs-distributed-session/testing';
import { redisFixture } from '../support/redis/redis-fixture.js';
import { RedisSentinels } from '@distributed-session/test-servers/redis/redis-sentinels.js';

let sentinels: RedisSentinels;

beforeAll(async () => {
  sentinels = await RedisSentinels.start();
});

afterAll(async () => {
  await sentinels.stop();
});

describeSessionStorage(
  'RedisSessionStorage through Sentinel',
  redisFixture(() => ({
    options: { options: { sentinels: sentinels.sentinels, name: sentinels.masterName } },
    servers: sentinels.servers,
  })),
  { severalInstances: true, dump: true },
);
