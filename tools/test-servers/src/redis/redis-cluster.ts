import { eventually } from '../eventually.js';
import { freePort } from '../free-port.js';
import { RedisClusterView } from './redis-cluster-view.js';
import { RedisServer } from './redis-server.js';
import type { RedisSettings } from './redis-settings.js';
import { migrateSlot } from './redis-slot-migration.js';

const MASTERS = 3;
const SLOTS = 16_384;

const SETTINGS: RedisSettings = {
  'cluster-enabled': 'yes',
  'cluster-node-timeout': 1_500,
  // Each master keeps its replica, so that a test knows which node takes over.
  'cluster-allow-replica-migration': 'no',
};

/** A real cluster of three masters with a replica each, on the loopback interface. */
export class RedisCluster {
  private constructor(
    /** The three initial masters, then their replicas in the same order. */
    readonly nodes: readonly RedisServer[],
  ) {}

  /** Resolves once all nodes agree and every replica is in sync. */
  static async start({ settings = {} }: { readonly settings?: RedisSettings } = {}): Promise<RedisCluster> {
    const busPorts = await Promise.all(Array.from({ length: 2 * MASTERS }, () => freePort()));
    const started = await Promise.allSettled(
      busPorts.map((port) => RedisServer.start({ settings: { ...SETTINGS, 'cluster-port': port, ...settings } })),
    );
    const cluster = new RedisCluster(started.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : [])));
    try {
      for (const one of started) if (one.status === 'rejected') throw one.reason;
      await cluster.#form(busPorts);
      await cluster.waitUntilReady();
      return cluster;
    } catch (error) {
      await cluster.stop();
      throw error;
    }
  }

  /** For the first parameter of `new Cluster(…)` of ioredis. */
  get startupNodes(): { host: string; port: number }[] {
    return this.nodes.map(({ host, port }) => ({ host, port }));
  }

  /** The nodes that serve slots, according to the running nodes. */
  async masters(): Promise<RedisServer[]> {
    const { nodes } = await this.#view();
    return nodes.filter(({ slots }) => slots.length > 0).map(({ port }) => this.#at(port));
  }

  /** The nodes that are not masters, according to the running nodes. */
  async replicas(): Promise<RedisServer[]> {
    const { nodes } = await this.#view();
    return nodes.filter(({ isMaster }) => !isMaster).map(({ port }) => this.#at(port));
  }

  async masterOfSlot(slot: number): Promise<RedisServer> {
    const port = (await this.#view()).portOfSlot(slot);
    if (port === undefined) throw new Error(`No node serves slot ${slot}.`);
    return this.#at(port);
  }

  /** The other node of a master and replica pair. */
  partnerOf(node: RedisServer): RedisServer {
    const index = this.nodes.indexOf(node);
    return this.nodes[(index + MASTERS) % this.nodes.length]!;
  }

  /** Moves a slot to another master while clients work; resolves once all nodes agree. See `migrateSlot`. */
  async migrateSlot(
    slot: number,
    to: RedisServer,
    { onHalf }: { readonly onHalf?: () => void | Promise<void> } = {},
  ): Promise<void> {
    const [from, masters] = [await this.masterOfSlot(slot), await this.masters()];
    await migrateSlot({ slot, from, to, masters, onHalf });
    await eventually(async () => (await this.#views()).every((view) => view.portOfSlot(slot) === to.port));
  }

  /**
   * Resolves to the replica of a killed or frozen master once it has taken over, all running nodes agree, and the
   * cluster serves every slot again.
   */
  async waitForFailover(failed: RedisServer): Promise<RedisServer> {
    const successor = this.partnerOf(failed);
    const hasTakenOver = ({ isOk, nodes }: RedisClusterView) =>
      isOk && nodes.some(({ port, slots }) => port === successor.port && slots.length > 0);
    await eventually(async () => (await this.#views()).every(hasTakenOver));
    return successor;
  }

  /** Resolves once all nodes reach each other and agree, and every replica is in sync. */
  async waitUntilReady(): Promise<void> {
    await eventually(async () => {
      const views = await RedisClusterView.ofAll(this.nodes);
      const isWhole = ({ isOk, nodes }: RedisClusterView) =>
        isOk && nodes.length === this.nodes.length && nodes.every(({ isReached }) => isReached);
      return views.length === this.nodes.length && views.every(isWhole) && agree(views);
    });
    await eventually(async () => {
      const replicas = await this.replicas();
      const links = await Promise.all(replicas.map((node) => node.info('replication', 'master_link_status')));
      return links.length === MASTERS && links.every((link) => link === 'up');
    });
  }

  async stop(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.stop()));
  }

  async #form(busPorts: readonly number[]): Promise<void> {
    const masters = this.nodes.slice(0, MASTERS);
    await Promise.all(this.nodes.map((node, index) => node.call('CLUSTER', 'SET-CONFIG-EPOCH', index + 1)));
    await Promise.all(
      masters.map((node, index) => {
        const [first, next] = [index, index + 1].map((each) => Math.floor((each * SLOTS) / MASTERS));
        return node.call('CLUSTER', 'ADDSLOTSRANGE', first!, next! - 1);
      }),
    );
    await Promise.all(
      this.nodes.flatMap((node, index) =>
        this.nodes
          .slice(index + 1)
          .map(({ host, port }, offset) => node.call('CLUSTER', 'MEET', host, port, busPorts[index + 1 + offset]!)),
      ),
    );
    await Promise.all(masters.map((master) => this.#replicate(this.partnerOf(master), master)));
  }

  async #replicate(replica: RedisServer, master: RedisServer): Promise<void> {
    const id = String(await master.call('CLUSTER', 'MYID'));
    await eventually(async () => (await RedisClusterView.of(replica)).nodes.some((node) => node.id === id));
    await replica.call('CLUSTER', 'REPLICATE', id);
  }

  /** The views of the running nodes. */
  async #views(): Promise<RedisClusterView[]> {
    const views = await RedisClusterView.ofAll(this.nodes.filter(({ isAlive }) => isAlive));
    if (views.length === 0) throw new Error('No cluster node responds.');
    return views;
  }

  /** The view of the node with the latest election epoch. */
  async #view(): Promise<RedisClusterView> {
    const views = await this.#views();
    return views.reduce((one, other) => (other.epoch > one.epoch ? other : one));
  }

  #at(port: number): RedisServer {
    const node = this.nodes.find((each) => each.port === port);
    if (!node) throw new Error(`No node of this cluster listens on ${port}.`);
    return node;
  }
}

function agree(views: readonly RedisClusterView[]): boolean {
  return new Set(views.map(({ ownership }) => ownership)).size === 1;
}
