import { afterAll, beforeAll } from '@jest/globals';
import { describeSessionStorage } from 'nestjs-distributed-session/testing';
import { RedisCluster } from '@distributed-session/test-servers/redis/redis-cluster.js';
import { redisFixture } from '../support/redis/redis-fixture.js';

let cluster: RedisCluster;

beforeAll(async () => {
  cluster = await RedisCluster.start();
});

afterAll(async () => {
  await cluster.stop();
});

describeSessionStorage(
  'RedisSessionStorage on a cluster',
  redisFixture(() => ({
    options: { cluster: { nodes: cluster.startupNodes } },
    masters: async () => cluster.masters(),
  })),
  { severalInstances: true, unreadable: ['newer-format', 'corrupt'] },
);
