import { afterAll, afterEach, beforeAll, beforeEach } from '@jest/globals';
import type { RedisSessionStorageOptions } from 'nestjs-distributed-session/redis';
import { RedisCluster } from '@distributed-session/test-servers/redis/redis-cluster.js';
import type { RedisSettings } from '@distributed-session/test-servers/redis/redis-settings.js';
import { RedisStorageGroup } from './redis-storage-group.js';

/** The cluster of the current test, and a group of storages on it. */
export interface ClusterContext {
  readonly cluster: RedisCluster;
  readonly group: RedisStorageGroup;
}

export interface ClusterOptions {
  /** The number of storages in the group. */
  readonly storages: number;
  /** Of each storage, in addition to the nodes. */
  readonly options?: Pick<RedisSessionStorageOptions, 'deadlineMs'>;
  /** Of each node. */
  readonly settings?: RedisSettings;
  /** Whether one cluster serves all tests of the file. Default: each test has its own, which it may damage. */
  readonly isShared?: boolean;
}

/** Starts a cluster, and connects a new group for each test. */
export function useCluster({ storages, options, settings, isShared = false }: ClusterOptions): ClusterContext {
  let cluster: RedisCluster;
  let group: RedisStorageGroup;
  const [before, after] = isShared ? [beforeAll, afterAll] : [beforeEach, afterEach];
  before(async () => {
    cluster = await RedisCluster.start({ settings });
  });
  beforeEach(async () => {
    group = await RedisStorageGroup.open(storages, { cluster: { nodes: cluster.startupNodes }, ...options });
  });
  afterEach(() => group.close());
  after(() => cluster.stop());
  return {
    get cluster() {
      return cluster;
    },
    get group() {
      return group;
    },
  };
}
