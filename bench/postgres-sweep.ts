import { loadavg } from 'node:os';
import { PostgresSessionStorage } from 'nestjs-distributed-session/postgres';
import { installPostgres } from '@distributed-session/test-servers/postgres/install-postgres.js';
import { fillSessions } from '../test/support/postgres/many-sessions.js';
import { PostgresServer } from '@distributed-session/test-servers/postgres/postgres-server.js';
import { makeTemplate } from '@distributed-session/test-servers/postgres/template-cluster.js';
import { Latencies } from './postgres-sweep/latencies.js';
import { readFor } from './postgres-sweep/read-for.js';
import { SweepingProcess } from './postgres-sweep/sweeping-process.js';

/**
 * Measures the cost of sweeping for readers: the latency of `get` in one process, in windows during which another process
 * sweeps expired sessions, and in windows without a sweep between them.
 */
const EXPIRED = 200_000;
/** Every fourth of these has ended. */
const OTHERS = 266_667;
const WINDOWS = 8;
const WINDOW_MS = 2_500;
const IN_FLIGHT = 4;
/** The p99 of reads during a sweep may be at most this many times the p99 without one. */
const TARGET = 2;
/** Commits wait for the disk, and reads are served from memory. */
const SETTINGS = { fsync: 'on', full_page_writes: 'on', shared_buffers: '512MB', max_wal_size: '4GB' };

await makeTemplate(await installPostgres());
const server = await PostgresServer.start({ settings: SETTINGS });
try {
  await measure(server.url);
} finally {
  await server.stop();
}

async function measure(url: string): Promise<void> {
  const storage = new PostgresSessionStorage({ url, deadlineMs: 10_000 });
  await storage.connect();
  await fillSessions(url, EXPIRED + OTHERS, { due: EXPIRED });
  const sweeping = await SweepingProcess.start(url);
  const reads = {
    live: { from: EXPIRED + 1, to: EXPIRED + OTHERS },
    inFlight: IN_FLIGHT,
    milliseconds: WINDOW_MS,
  };
  const [quiet, swept] = [new Latencies(), new Latencies()];
  let [expired, sweptMs] = [0, 0];
  const load = loadavg()[0];
  await readFor(storage, reads, new Latencies());
  for (let window = 0; window < WINDOWS; window++) {
    await readFor(storage, reads, quiet);
    const startedAt = performance.now();
    sweeping.go();
    await readFor(storage, reads, swept);
    expired += await sweeping.stop();
    sweptMs += performance.now() - startedAt;
  }
  await sweeping.end();
  await storage.close();
  if (expired >= EXPIRED) throw new Error('The sweep finished before the end: there was nothing left to measure.');
  report(quiet, swept, expired / (sweptMs / 1_000), load ?? 0);
}

function report(quiet: Latencies, swept: Latencies, rowsPerSecond: number, load: number): void {
  const ratio = swept.percentile(99) / quiet.percentile(99);
  console.log(`load average before: ${load.toFixed(1)}`);
  console.log(`without a sweep: ${figures(quiet)}`);
  console.log(`during a sweep: ${figures(swept)}`);
  console.log(`swept: ${Math.round(rowsPerSecond)} sessions per second`);
  console.log(`p99 ratio: ${ratio.toFixed(2)}; the target is at most ${TARGET}`);
  process.exitCode = ratio <= TARGET ? 0 : 1;
}

function figures(latencies: Latencies): string {
  const [p50, p99] = [50, 99].map((percent) => latencies.percentile(percent).toFixed(2));
  return `${latencies.count} reads, p50 ${p50} ms, p99 ${p99} ms`;
}
