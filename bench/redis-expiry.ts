import { loadavg } from 'node:os';
import { installRedis } from '@distributed-session/test-servers/redis/install-redis.js';
import { runExpiry } from '../test/support/redis/expiry-run.js';

/** Measures how long after their expiry sessions are published as ended, among many live sessions. */
const LIVE = 100_000;
const EXPIRING = 2_000;
const PROCESSES = 4;

await installRedis();
const load = loadavg()[0] ?? 0;
const { due, ended, delays } = await runExpiry({ live: LIVE, expiring: EXPIRING, processes: PROCESSES });
if (ended.length !== due.size)
  throw new Error(`${due.size} sessions expired, but ${ended.length} ends were published.`);
console.log(`machine load before: ${load.toFixed(1)}`);
console.log(`${LIVE} live sessions, ${EXPIRING} expiring, ${PROCESSES} processes that sweep every second`);
console.log(`published after ${delays[EXPIRING / 2]} ms (median), ${delays.at(-1)} ms (last)`);
