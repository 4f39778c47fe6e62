import { afterEach, describe, expect, test } from '@jest/globals';
import * as installed from 'ioredis';
import * as other from 'ioredis-5';
import { RedisSessionStorage, type RedisSessionStorageOptions } from 'nestjs-distributed-session/redis';
import { TcpProxy } from '@distributed-session/test-servers/proxy/tcp-proxy.js';
import { RedisCluster } from '@distributed-session/test-servers/redis/redis-cluster.js';
import { RedisSentinels } from '@distributed-session/test-servers/redis/redis-sentinels.js';
import { RedisServer } from '@distributed-session/test-servers/redis/redis-server.js';
import { settle } from '../support/storage/settled-call.js';
import { expectShared } from '../support/storage/shared-sessions.js';
import { created, READS, WRITES } from '../support/storage/storage-calls.js';

const SAFE = { lazyConnect: true, socketTimeout: 1_500, maxRetriesPerRequest: 0, enableOfflineQueue: false };
const CLUSTER = { lazyConnect: true, scaleReads: 'master', retryDelayOnFailover: 0, redisOptions: SAFE } as const;

const cleanUps: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp();
});

async function connected(options: RedisSessionStorageOptions): Promise<RedisSessionStorage> {
  const storage = new RedisSessionStorage({ deadlineMs: 5_000, ...options });
  await storage.connect();
  cleanUps.push(() => storage.close());
  return storage;
}

function closedAfter<Client extends other.Redis | other.Cluster>(client: Client): Client {
  cleanUps.push(async () => client.disconnect());
  return client;
}

/** Whether it is of the version that prepares its replies for RESP3. */
const isVersion6 = ({ Command }: { readonly Command: { readonly prototype: object } }) =>
  'setReplyContext' in Command.prototype;

/** Makes each call once, and returns those that fail. Throws if the storage and its witness do not share their changes. */
async function failuresOf(storage: RedisSessionStorage, witness: RedisSessionStorage): Promise<string[]> {
  await expectShared(storage, witness);
  const failures: string[] = [];
  for (const [name, call] of Object.entries({ ...WRITES, ...READS })) {
    const session = await created(witness, 'alice');
    const { outcome } = await settle(() => call(storage, session));
    if (outcome.startsWith('ERR_')) failures.push(`${name}: ${outcome}`);
  }
  return failures;
}

describe('A client of another copy of ioredis', () => {
  test('is of another major version', () => {
    expect(installed.Redis).not.toBe(other.Redis);
    expect(isVersion6(installed)).toBe(!isVersion6(other));
  });

  test('serves every call on one server, in its own database', async () => {
    const server = await RedisServer.start();
    cleanUps.push(() => server.stop());
    const client = closedAfter(new other.Redis({ ...SAFE, host: server.host, port: server.port, db: 3 }));
    expect(await failuresOf(await connected({ client }), await connected({ url: `${server.url}/3` }))).toEqual([]);
  });

  test('serves every call through Sentinel', async () => {
    const sentinels = await RedisSentinels.start();
    cleanUps.push(() => sentinels.stop());
    const address = { sentinels: sentinels.sentinels, name: sentinels.masterName };
    const client = closedAfter(new other.Redis({ ...SAFE, ...address, failoverDetector: true }));
    expect(await failuresOf(await connected({ client }), await connected({ options: address }))).toEqual([]);
  });

  test('serves every call on a cluster', async () => {
    const cluster = await RedisCluster.start();
    cleanUps.push(() => cluster.stop());
    const nodes = cluster.startupNodes;
    const client = closedAfter(new other.Cluster([...nodes], CLUSTER));
    expect(await failuresOf(await connected({ client }), await connected({ cluster: { nodes } }))).toEqual([]);
  });

  test('is not used again for a call that ended at its deadline', async () => {
    const server = await RedisServer.start();
    cleanUps.push(() => server.stop());
    const proxy = await TcpProxy.start(server);
    cleanUps.push(() => proxy.stop());
    const client = closedAfter(new other.Redis({ ...SAFE, host: proxy.host, port: proxy.port }));
    const storage = await connected({ client, deadlineMs: 200 });
    const witness = await connected({ url: server.url });
    const session = await created(witness, 'alice');
    proxy.blackHole('up');
    const { outcome } = await settle(() => WRITES.end(storage, session));
    expect(outcome).toBe('ERR_STORAGE_OUTCOME_UNKNOWN');
    proxy.discard();
    expect(await witness.get(session.sessionId)).toEqual(session);
  });
});
