import type { RedisServer } from './redis-server.js';

/** Few keys per step, so that other clients are served in between. */
const KEYS_AT_A_TIME = 5;

export interface RedisSlotMigration {
  readonly slot: number;
  /** The master that currently serves the slot. */
  readonly from: RedisServer;
  /** The master that will serve it. */
  readonly to: RedisServer;
  /** All masters: each receives the new owner of the slot. */
  readonly masters: readonly RedisServer[];
  /** Called and awaited when half of the keys have moved, also if there are no keys. */
  readonly onHalf?: (() => void | Promise<void>) | undefined;
}

/** Moves a slot step by step, as `redis-cli` does. Meanwhile either node serves clients. */
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
  // The new owner first: if this process ends in between, no node believes that the slot has no owner.
  const others = masters.filter((server) => server !== to && server !== from);
  for (const server of [to, from, ...others]) await server.call('CLUSTER', 'SETSLOT', slot, 'NODE', toId!);
}

/** Moves keys until this many are left. */
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
