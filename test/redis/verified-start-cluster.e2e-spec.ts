import { Command } from 'ioredis';
import { afterEach, describe, expect, test } from '@jest/globals';
import { RedisSessionStorage } from 'nestjs-distributed-session/redis';
import { RedisCluster } from '@distributed-session/test-servers/redis/redis-cluster.js';

const cleanUps: (() => Promise<void>)[] = [];
const slotOf = (key: string) => new Command('get', [key]).getSlot();

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp();
});

describe('RedisSessionStorage.connect() to a cluster', () => {
  test('is refused if one of its masters differs from the others', async () => {
    const cluster = await RedisCluster.start();
    cleanUps.push(async () => cluster.stop());
    const start = async () => {
      const storage = new RedisSessionStorage({ cluster: { nodes: cluster.startupNodes }, deadlineMs: 5_000 });
      await storage.connect();
      await storage.close();
    };
    await start();
    // The rights are checked on the node of the meta data.
    const checked = await cluster.masterOfSlot(slotOf('{ds}:meta'));
    const other = (await cluster.masters()).find(({ port }) => port !== checked.port)!;
    await other.call('ACL', 'SETUSER', 'default', '-zadd');
    const sentence = expect.stringContaining(
      'its user may not run scripts on the keys of this library (NOPERM): see docs/redis-acl',
    );
    await expect(start()).rejects.toMatchObject({ code: 'ERR_OPTIONS', message: sentence });
  });
});
