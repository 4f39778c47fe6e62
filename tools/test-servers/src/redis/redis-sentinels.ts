import { eventually } from '../eventually.js';
import { RedisServer, type RedisServerOptions } from './redis-server.js';
import type { RedisSettings } from './redis-settings.js';

const REPLICAS = 2;
const SENTINELS = 3;
/** How many Sentinels must lose the master before a failover. */
const QUORUM = 2;
const MASTER_NAME = 'sessions';
/** In milliseconds. With the default, an old master that returns becomes a replica only after more than ten seconds. */
const QUICK_PERIODS = ['INFO-PERIOD', 1_000, 'PUBLISH-PERIOD', 500];

/** A real master with two replicas, and three Sentinels that watch them, on the loopback interface. */
export class RedisSentinels {
  readonly masterName = MASTER_NAME;
  readonly #servers: RedisServer[] = [];
  readonly #sentinels: RedisServer[] = [];

  /**
   * Resolves once every Sentinel knows all others and the replicas are in sync. The settings apply to the master and its
   * replicas, because each of them may become the master.
   */
  static async start({ settings = {} }: { readonly settings?: RedisSettings } = {}): Promise<RedisSentinels> {
    const group = new RedisSentinels();
    try {
      const [master] = await startAll(group.#servers, [{ settings }]);
      const replica = { settings: { ...settings, replicaof: `${master!.host} ${master!.port}` } };
      await startAll(
        group.#servers,
        Array.from({ length: REPLICAS }, () => replica),
      );
      await group.#replicasAreLinked();
      const sentinels = Array.from({ length: SENTINELS }, () => sentinelOptions(master!));
      await startAll(group.#sentinels, sentinels);
      await Promise.all(group.#sentinels.map((one) => one.call('SENTINEL', 'DEBUG', ...QUICK_PERIODS)));
      await group.waitUntilReady();
      return group;
    } catch (error) {
      await group.stop();
      throw error;
    }
  }

  /** For the option `sentinels` of ioredis, with `name: masterName`. */
  get sentinels(): { host: string; port: number }[] {
    return this.#sentinels.map(({ host, port }) => ({ host, port }));
  }

  /** The Sentinel processes, to kill or freeze one. */
  get sentinelServers(): readonly RedisServer[] {
    return this.#sentinels;
  }

  /** The initial master, then its replicas, whatever their current roles. */
  get servers(): readonly RedisServer[] {
    return this.#servers;
  }

  /** The server that all running Sentinels report as master, once they agree. */
  async master(): Promise<RedisServer> {
    let named: RedisServer | undefined;
    await eventually(async () => {
      named = await this.#namedMaster();
      return named !== undefined;
    });
    return named!;
  }

  /** All servers but the master. */
  async replicas(): Promise<RedisServer[]> {
    const master = await this.master();
    return this.#servers.filter((server) => server !== master);
  }

  /** Resolves to the new master once the Sentinels report another one than this and it accepts writes. */
  async waitForNewMaster(old: RedisServer): Promise<RedisServer> {
    let master: RedisServer | undefined;
    await eventually(async () => {
      master = await this.#namedMaster();
      return master !== undefined && master !== old && (await master.info('replication', 'role')) === 'master';
    });
    return master!;
  }

  /** Resolves once every Sentinel knows all servers and Sentinels and the replicas are in sync. */
  async waitUntilReady(): Promise<void> {
    await eventually(async () => {
      const states = await Promise.all(this.#sentinels.map((sentinel) => sentinel.info('sentinel', 'master0')));
      return states.every(
        (state) => state.includes('status=ok,') && state.endsWith(`slaves=${REPLICAS},sentinels=${SENTINELS}`),
      );
    });
    await this.#replicasAreLinked();
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#servers, ...this.#sentinels].map((server) => server.stop()));
  }

  async #replicasAreLinked(): Promise<void> {
    await eventually(async () => {
      const links = await Promise.all(this.#servers.map((server) => server.info('replication', 'master_link_status')));
      return links.filter((link) => link === 'up').length === REPLICAS;
    });
  }

  /** `undefined` while the Sentinels disagree. */
  async #namedMaster(): Promise<RedisServer | undefined> {
    const alive = this.#sentinels.filter(({ isAlive }) => isAlive);
    const addresses = alive.map((sentinel) => sentinel.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', MASTER_NAME));
    const ports = new Set((await Promise.all(addresses)).map((address) => Number((address as string[])[1])));
    return ports.size === 1 ? this.#servers.find(({ port }) => ports.has(port)) : undefined;
  }
}

function sentinelOptions(master: RedisServer): RedisServerOptions {
  return {
    isSentinel: true,
    settings: {
      sentinel: [
        'resolve-hostnames no',
        `monitor ${MASTER_NAME} ${master.host} ${master.port} ${QUORUM}`,
        `down-after-milliseconds ${MASTER_NAME} 1000`,
        `failover-timeout ${MASTER_NAME} 3000`,
        `parallel-syncs ${MASTER_NAME} ${REPLICAS}`,
      ],
    },
  };
}

/** Adds the servers that have started even if another one failed to start, so that all of them are stopped. */
async function startAll(servers: RedisServer[], options: readonly RedisServerOptions[]): Promise<RedisServer[]> {
  const results = await Promise.allSettled(options.map((each) => RedisServer.start(each)));
  const started = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  servers.push(...started);
  for (const result of results) if (result.status === 'rejected') throw result.reason;
  return started;
}
