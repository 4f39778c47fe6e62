import type { RedisServer } from './redis-server.js';

/** So few at a time that others get their turn between. */
const KEYS_AT_A_TIME = 5;

export interface RedisSlotMigration {
  readonly slot: number;
  /** The master that serves the slot now. */
  readonly from: RedisServer;
  /** The master that is to serve it. */
  readonly to: RedisServer;
  /** All masters: each is told who serves the slot in the end. */
  readonly masters: readonly RedisServer[];
  /** Runs, and is awaited, when half of the keys are with the one and half with the other; also if there are none. */
  readonly onHalf?: (() => void | Promise<void>) | undefined;
}

/** Moves a slot as `redis-cli` does, step by step. Clients are served meanwhile, by the one node or by the other. */
export async function migrateSlot({ slot, from, to, masters, onHalf }: RedisSlotMigration): Promise<void> {
  const [fromId, toId] = await Promise.all(
    [from, to].map(async (server) => String(await server.call('CLUSTER', 'MYID'))),
  );
  await to.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', fromId!);
  await from.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', toId!);
  const total = await keysInSlot(from, slot);
  await moveKeys(from, to, slot, Math.floor(total / 2));
  await onHalf?.();
  await moveKeys(from, to, slot, 0);
  // The new one first: should this end between, no node is left that believes the slot to be with nobody.
  const others = masters.filter((server) => server !== to && server !== from);
  for (const server of [to, from, ...others]) await server.call('CLUSTER', 'SETSLOT', slot, 'NODE', toId!);
}

/** Moves keys until so many are left. */
async function moveKeys(from: RedisServer, to: RedisServer, slot: number, left: number): Promise<void> {
  await from.use(async (redis) => {
    for (let rest = await keysInSlot(from, slot); rest > left; rest = await keysInSlot(from, slot)) {
      const count = Math.min(KEYS_AT_A_TIME, rest - left);
      const keys = (await redis.callBuffer('CLUSTER', ['GETKEYSINSLOT', slot, count])) as Buffer[];
      if (keys.length > 0) await redis.call('MIGRATE', [to.host, to.port, '', 0, 5_000, 'KEYS', ...keys]);
    }
  });
}

async function keysInSlot(server: RedisServer, slot: number): Promise<number> {
  return Number(await server.call('CLUSTER', 'COUNTKEYSINSLOT', slot));
}
