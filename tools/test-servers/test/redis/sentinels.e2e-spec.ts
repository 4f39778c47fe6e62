import { afterEach, describe, expect, it } from '@jest/globals';
import { eventually } from '../../src/eventually.js';
import { RedisSentinels } from '../../src/redis/redis-sentinels.js';

let group: RedisSentinels;

afterEach(() => group.stop());

describe('RedisSentinels', () => {
  it('promotes a replica after the master was killed', async () => {
    group = await RedisSentinels.start();
    for (const sentinel of group.sentinelServers) {
      expect(await sentinel.info('sentinel', 'master0')).toContain('status=ok');
      expect(await sentinel.info('sentinel', 'master0')).toContain('slaves=2,sentinels=3');
    }
    const master = await group.master();
    expect(master).toBe(group.servers[0]);
    await master.call('SET', 'key', 'value');
    await master.waitForReplicas(2);
    await master.kill();
    const successor = await group.waitForNewMaster(master);
    expect(await successor.call('GET', 'key')).toBe('value');
    expect(await group.replicas()).toHaveLength(2);
  });

  it('makes a frozen master a replica when it resumes', async () => {
    group = await RedisSentinels.start({ settings: { 'min-replicas-to-write': 1, 'min-replicas-max-lag': 1 } });
    const master = await group.master();
    expect(await master.call('CONFIG', 'GET', 'min-replicas-to-write')).toEqual(['min-replicas-to-write', '1']);
    master.freeze();
    const successor = await group.waitForNewMaster(master);
    master.resume();
    await eventually(async () => (await master.info('replication', 'role').catch(() => '')) === 'slave');
    await group.waitUntilReady();
    expect(await group.replicas()).toContain(master);
    expect(await group.master()).toBe(successor);
  });
});
