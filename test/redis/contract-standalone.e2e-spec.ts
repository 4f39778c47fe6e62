import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll } from '@jest/globals';
import { RedisSessionStorage } from 'nestjs-distributed-session/redis';
import { describeSessionStorage } from 'nestjs-distributed-session/testing';
import { RedisServer } from '../support/redis/redis-server.js';

let server: RedisServer;

beforeAll(async () => {
  server = await RedisServer.start();
});

afterAll(async () => {
  await server.stop();
});

describeSessionStorage(
  'RedisSessionStorage on one server',
  () => {
    // Keys of its own make the store of a test empty, also where many are used one after the other.
    const keyPrefix = randomUUID();
    const others: RedisSessionStorage[] = [];
    return {
      storage: new RedisSessionStorage({ url: server.url, keyPrefix }),
      another: async () => {
        const other = new RedisSessionStorage({ url: server.url, keyPrefix });
        others.push(other);
        await other.connect();
        return other;
      },
      dump: async () => server.dump(),
      dispose: async () => {
        for (const other of others) await other.close();
        await server.call('FLUSHALL');
      },
    };
  },
  { severalInstances: true, dump: true },
);
