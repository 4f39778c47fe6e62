import { describeManagerOn } from 'nestjs-distributed-session/testing';
import { restrictedRedisFixture } from '../support/redis/redis-fixture.js';

describeManagerOn('RedisSessionStorage as a restricted user', restrictedRedisFixture(), { dump: true });
