import { createInterface } from 'node:readline';
import { PostgresSessionStorage } from 'nestjs-distributed-session/postgres';

/**
 * A sweeping process, started with a URL. It prints `ready`, sweeps from the line `go` until the line `stop`, and then
 * prints the number of sessions that expired.
 */
const LIMIT = 1_000;

const storage = new PostgresSessionStorage({ url: process.argv[2], deadlineMs: 10_000 });
await storage.connect();

async function sweepUntil(stop: AbortSignal): Promise<number> {
  let expired = 0;
  while (!stop.aborted) {
    expired += await storage.sweep({ limit: LIMIT, historyRetentionMs: 3_600_000 });
  }
  return expired;
}

let stop = new AbortController();
let round = Promise.resolve(0);
console.log('ready');
for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'go') {
    stop = new AbortController();
    round = sweepUntil(stop.signal);
  } else {
    stop.abort();
    console.log(`swept ${await round}`);
  }
}
await storage.close();
