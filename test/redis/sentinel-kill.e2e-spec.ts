import { describe, expect, test } from '@jest/globals';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import { faultsOfCalls, faultsOfState } from '../support/storage/load-faults.js';
import { loginNames } from '../support/storage/login-names.js';
import { TcpProxy } from '@distributed-session/test-servers/proxy/tcp-proxy.js';
import { RedisStorageGroup } from '../support/redis/redis-storage-group.js';
import { REJECT_UNREPLICATED, useSentinels } from '../support/redis/use-sentinels.js';
import { recoveryMs } from '../support/storage/recovery-time.js';

/** Writes that were acknowledged this long before the kill have reached the replicas. */
const REPLICATED_MS = 2_000;
const USERS = [0, 1, 2, 3, 4, 5];

const start = useSentinels();

describe('RedisSessionStorage with Sentinels whose master was killed under load', () => {
  test('continues with the new master and keeps every replicated write', async () => {
    const { sentinels, group } = await start(3, REJECT_UNREPLICATED);
    const users = USERS.map((user) => loginNames(group.storages[0]!, `user-${user}`));
    const load = group.startLoad(users);
    const startedAt = performance.now();
    const master = await sentinels.master();
    await eventually(() => performance.now() > startedAt + REPLICATED_MS && load.haveWritten(USERS, startedAt));
    const killedAt = performance.now();
    await master.kill();
    const successor = await sentinels.waitForNewMaster(master);
    const announcedAt = performance.now();
    await eventually(() => load.haveWritten(USERS, announcedAt));
    expect(performance.now() - announcedAt).toBeLessThan(recoveryMs());
    await eventually(() => group.allReceivedGap);
    await load.stop();
    const window = { acknowledgedBefore: killedAt - REPLICATED_MS };
    expect(faultsOfCalls(load, window)).toEqual([]);
    expect(await faultsOfState(load, await group.witness(successor), window)).toEqual([]);
    await group.waitUntilReceived(['after']);
  });
});

describe('RedisSessionStorage, asking the Sentinels for the master while they announce a failover', () => {
  test('asks again and reconnects', async () => {
    const { sentinels } = await start(3, REJECT_UNREPLICATED);
    const proxies = await Promise.all(sentinels.sentinels.map((sentinel) => TcpProxy.start(sentinel)));
    const nodes = proxies.map(({ host, port }) => ({ host, port }));
    const options = { sentinels: nodes, name: sentinels.masterName, updateSentinels: false };
    const proxied = await RedisStorageGroup.open(3, { options });
    try {
      const master = await sentinels.master();
      for (const proxy of proxies) proxy.blackHole('down');
      await master.kill();
      await sentinels.waitForNewMaster(master);
      // Each client has asked, and the announcement of the failover reaches it before the reply.
      await eventually(() => proxies.every(({ heldBytes }) => heldBytes > 0));
      for (const proxy of proxies) proxy.healthy();
      const releasedAt = performance.now();
      await proxied.waitUntilWritable();
      expect(performance.now() - releasedAt).toBeLessThan(recoveryMs());
    } finally {
      await proxied.close();
      await Promise.all(proxies.map((proxy) => proxy.stop()));
    }
  });
});
