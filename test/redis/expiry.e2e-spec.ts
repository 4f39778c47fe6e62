import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { SessionEndedChange } from 'nestjs-distributed-session/storage';
import { RedisSessionStorage } from 'nestjs-distributed-session/redis';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import { RedisServer } from '@distributed-session/test-servers/redis/redis-server.js';

const SWEEPER = fileURLToPath(new URL('../support/redis/sweeper.js', import.meta.url));
const LIVE = 100_000;
const EXPIRING = 2_000;
const PROCESSES = 4;
const SWEEP_INTERVAL_MS = 1_000;

let server: RedisServer;
let storage: RedisSessionStorage;
let sweepers: ChildProcess[] = [];

beforeAll(async () => {
  server = await RedisServer.start();
  storage = new RedisSessionStorage({ url: server.url, deadlineMs: 20_000 });
  await storage.connect();
});

afterAll(async () => {
  await Promise.all(
    sweepers.map(async (sweeper) => {
      sweeper.stdin?.end();
      if (sweeper.exitCode === null) await once(sweeper, 'exit');
    }),
  );
  await storage.close();
  await server.stop();
});

async function startSweeper(index: number): Promise<ChildProcess> {
  const users = LIVE / PROCESSES;
  const task = { serviceId: `service-${index}`, url: server.url, sweepIntervalMs: SWEEP_INTERVAL_MS, users };
  const child = spawn(process.execPath, [SWEEPER, JSON.stringify(task)], { stdio: ['pipe', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  return child;
}

/** Creates sessions that come due soon, each of a login of its own; answers their ids. */
async function createExpiring(): Promise<Set<string>> {
  const logins = Array.from({ length: EXPIRING }, (_, n) => `expiring-${n}`);
  const ids = new Set<string>();
  await Promise.all(
    logins.map(async (loginId) => {
      const sessionId = storage.nextSessionId(loginId);
      ids.add(sessionId);
      await storage.create({
        sessionId,
        loginId,
        idleTimeoutMs: 1_000,
        payload: Buffer.alloc(200),
        limits: { perLogin: 100, onLimit: 'end-oldest' },
        by: 'tester',
        historyRetentionMs: 60_000,
      });
    }),
  );
  return ids;
}

describe(`with ${LIVE} live sessions and ${PROCESSES} processes that sweep`, () => {
  test('each expiry is announced once, and soon', async () => {
    sweepers = await Promise.all(Array.from({ length: PROCESSES }, async (_, index) => startSweeper(index)));
    const ended: SessionEndedChange[] = [];
    const delays: number[] = [];
    const stop = storage.changes((change) => {
      if (change.type !== 'session.ended') return;
      ended.push(change);
      delays.push(storage.now() - change.at);
    });
    const due = await createExpiring();
    await eventually(() => ended.length >= EXPIRING);
    // What is announced twice would come with the next rounds of all four.
    const rounds = (await server.commandCounts())['zrangebyscore']! + 2 * PROCESSES * 256;
    await eventually(async () => (await server.commandCounts())['zrangebyscore']! >= rounds);
    stop();
    expect(ended).toHaveLength(EXPIRING);
    expect(new Set(ended.map(({ sessionId }) => sessionId))).toEqual(due);
    expect(await storage.count()).toEqual({ sessions: LIVE, logins: LIVE });
    delays.sort((a, b) => a - b);
    const [median, last] = [delays[EXPIRING / 2], delays.at(-1)];
    console.log(
      `Expiry announced after ${median} ms (median), ${last} ms (last); ${LIVE} live sessions, ${EXPIRING} expiring, ` +
        `${PROCESSES} processes that sweep every ${SWEEP_INTERVAL_MS} ms`,
    );
  }, 180_000);
});
