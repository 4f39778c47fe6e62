import { createInterface } from 'node:readline';
import { PostgresSessionStorage } from 'nestjs-distributed-session/postgres';

/**
 * A process that sweeps. Started with a URL, it says `ready`; it sweeps from the line `go` until the line `stop`, and then
 * says how many sessions it has claimed.
 */
const LIMIT = 1_000;

const storage = new PostgresSessionStorage({ url: process.argv[2], deadlineMs: 10_000 });
await storage.connect();

async function sweepUntil(stop: AbortSignal): Promise<number> {
  let claimed = 0;
  while (!stop.aborted) {
    claimed += await storage.sweep({ limit: LIMIT, historyRetentionMs: 3_600_000 });
  }
  return claimed;
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
