import { afterAll, beforeAll } from '@jest/globals';
import { describeSessionStorage } from 'nestjs-distributed-session/testing';
import { RedisSentinels } from '@distributed-session/test-servers/redis/redis-sentinels.js';
import { redisFixture } from '../support/redis/redis-fixture.js';

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
    masters: async () => [await sentinels.master()],
  })),
  { severalInstances: true, unreadable: ['newer-format', 'corrupt'] },
);
