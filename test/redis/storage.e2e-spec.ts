import { describeSessionStorage } from 'nestjs-distributed-session/testing';
import { restrictedRedisFixture } from '../support/redis/redis-fixture.js';

describeSessionStorage('RedisSessionStorage as a restricted user', restrictedRedisFixture(), {
  severalInstances: true,
  unreadable: ['newer-format', 'corrupt'],
});
