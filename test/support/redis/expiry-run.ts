import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { RedisSessionStorage } from 'nestjs-distributed-session/redis';
import type { SessionCounts, SessionEndedChange } from 'nestjs-distributed-session/storage';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import { RedisServer } from '@distributed-session/test-servers/redis/redis-server.js';

const SWEEPER = fileURLToPath(new URL('sweeper.js', import.meta.url));
const TYPESCRIPT = ['--import', './tools/run-typescript/register.js', '--conditions=@distributed-session/source'];
const SWEEP_INTERVAL_MS = 1_000;
const IDLE_TIMEOUT_MS = 1_000;
/** Each sweep round sends one `ZRANGEBYSCORE` per shard. */
const SHARDS = 256;

export interface ExpiryRunOptions {
  /** The number of sessions that stay live. */
  readonly live: number;
  /** The number of sessions that expire during the run, each of its own user. */
  readonly expiring: number;
  /** The number of processes that sweep. */
  readonly processes: number;
}

export interface ExpiryRun {
  /** The ids of the sessions that expired. */
  readonly due: ReadonlySet<string>;
  /** Every `session.ended` change that was received. */
  readonly ended: readonly SessionEndedChange[];
  /** The times between expiry and receipt in milliseconds, sorted. */
  readonly delays: readonly number[];
  /** The counts after the run. */
  readonly counts: SessionCounts;
}

/** Lets sessions expire among live ones while several processes sweep, and records the published changes. */
export async function runExpiry({ live, expiring, processes }: ExpiryRunOptions): Promise<ExpiryRun> {
  const server = await RedisServer.start();
  const storage = new RedisSessionStorage({ url: server.url, deadlineMs: 20_000 });
  const sweepers = Array.from({ length: processes }, (_, index) => spawnSweeper(server, index, live / processes));
  try {
    await storage.connect();
    await Promise.all(sweepers.map(async ({ stdout }) => once(stdout!, 'data')));
    const ended: SessionEndedChange[] = [];
    const delays: number[] = [];
    storage.changes((change) => {
      if (change.type !== 'session.ended') return;
      ended.push(change);
      delays.push(storage.now() - change.at);
    });
    const due = await createExpiring(storage, expiring);
    await eventually(() => ended.length >= expiring);
    // A change that is published twice would arrive with the next two rounds of every process.
    const rounds = (await sweepReads(server)) + 2 * processes * SHARDS;
    await eventually(async () => (await sweepReads(server)) >= rounds);
    return { due, ended, delays: delays.toSorted((a, b) => a - b), counts: await storage.count() };
  } finally {
    await Promise.all(sweepers.map(stopSweeper));
    await storage.close();
    await server.stop();
  }
}

function spawnSweeper({ url }: RedisServer, index: number, users: number): ChildProcess {
  const task = { serviceId: `service-${index}`, url, sweepIntervalMs: SWEEP_INTERVAL_MS, users };
  const args = [...TYPESCRIPT, SWEEPER, JSON.stringify(task)];
  return spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
}

async function stopSweeper(sweeper: ChildProcess): Promise<void> {
  sweeper.stdin?.end();
  if (sweeper.exitCode === null) await once(sweeper, 'exit');
}

async function sweepReads(server: RedisServer): Promise<number> {
  return (await server.commandCounts())['zrangebyscore'] ?? 0;
}

/** Creates sessions that expire soon. Returns their ids. */
async function createExpiring(storage: RedisSessionStorage, count: number): Promise<Set<string>> {
  const ids = new Set<string>();
  const create = async (_: unknown, n: number) => {
    const loginId = `expiring-${n}`;
    const sessionId = storage.nextSessionId(loginId);
    ids.add(sessionId);
    await storage.create({
      sessionId,
      loginId,
      idleTimeoutMs: IDLE_TIMEOUT_MS,
      payload: Buffer.alloc(200),
      limits: { perLogin: 100, onLimit: 'end-oldest' },
      by: 'tester',
      historyRetentionMs: 60_000,
    });
  };
  await Promise.all(Array.from({ length: count }, create));
  return ids;
}
