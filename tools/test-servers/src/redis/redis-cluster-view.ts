import type { RedisServer } from './redis-server.js';

/** A node in the view of another node. */
export interface ClusterViewNode {
  readonly id: string;
  readonly port: number;
  readonly isMaster: boolean;
  /** Whether it is reachable: neither suspected nor confirmed as failed. */
  readonly isReached: boolean;
  /** The first and last slot of each range that it serves. */
  readonly slots: readonly (readonly [number, number])[];
}

/** One node's view of the cluster. */
export class RedisClusterView {
  private constructor(
    readonly isOk: boolean,
    readonly epoch: number,
    readonly nodes: readonly ClusterViewNode[],
  ) {}

  static async of(server: RedisServer): Promise<RedisClusterView> {
    const [nodes, state] = await server.use(async (redis) =>
      Promise.all([redis.call('CLUSTER', ['NODES']), redis.call('CLUSTER', ['INFO'])]),
    );
    const epoch = Number(/cluster_current_epoch:(\d+)/u.exec(String(state))?.[1]);
    const lines = String(nodes).trim().split('\n');
    return new RedisClusterView(String(state).includes('cluster_state:ok'), epoch, lines.map(viewNode));
  }

  /** The views of the nodes that respond. */
  static async ofAll(servers: readonly RedisServer[]): Promise<RedisClusterView[]> {
    const asked = await Promise.allSettled(servers.map((server) => RedisClusterView.of(server)));
    return asked.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  }

  /** The assignment of slots as text; nodes that agree have the same text. */
  get ownership(): string {
    const owners = this.nodes.filter(({ slots }) => slots.length > 0);
    return owners
      .map(({ id, slots }) => `${id} ${slots.join(' ')}`)
      .toSorted()
      .join('\n');
  }

  /** The port of the master that serves a slot. */
  portOfSlot(slot: number): number | undefined {
    return this.nodes.find(({ slots }) => slots.some(([first, last]) => first <= slot && slot <= last))?.port;
  }
}

/** `<id> <host>:<port>@<bus port> <flags> <master> <ping> <pong> <epoch> <link> <slots or migrating slots …>` */
function viewNode(line: string): ClusterViewNode {
  const [id = '', address = '', flagNames = '', , , , , link, ...ranges] = line.split(' ');
  const flags = flagNames.split(',');
  return {
    id,
    port: Number(/:(\d+)@/u.exec(address)?.[1]),
    isMaster: flags.includes('master'),
    isReached: !['fail', 'fail?', 'handshake', 'noaddr'].some((flag) => flags.includes(flag)) && link === 'connected',
    slots: ranges.filter((range) => !range.startsWith('[')).map(slotRange),
  };
}

/** `<first>-<last>`, or a single slot. */
function slotRange(range: string): readonly [number, number] {
  const [first, last = first] = range.split('-').map(Number);
  return [first!, last!];
}
