import { DistributedSessionManager } from 'nestjs-distributed-session';
import { RedisSessionStorage } from 'nestjs-distributed-session/redis';

/**
 * A service with live sessions that sweeps. Started as `node sweeper.js '<json>'`, it creates the sessions, prints
 * `ready`, and sweeps until its input ends.
 *
 * @type {{ serviceId: string, url: string, sweepIntervalMs: number, users: number }}
 */
const { serviceId, url, sweepIntervalMs, users } = JSON.parse(process.argv[2] ?? '');
/** The number of logins at a time. */
const BATCH = 250;

const storage = new RedisSessionStorage({ url, deadlineMs: 20_000 });
await storage.connect();
for (let first = 0; first < users; first += BATCH) {
  const batch = Array.from({ length: Math.min(BATCH, users - first) }, (_, n) => `${serviceId}-user-${first + n}`);
  await Promise.all(
    batch.map(async (loginId) =>
      storage.create({
        sessionId: storage.nextSessionId(loginId),
        loginId,
        idleTimeoutMs: 3_600_000,
        payload: Buffer.alloc(200),
        limits: { perLogin: 100, onLimit: 'end-oldest' },
        by: serviceId,
        historyRetentionMs: 60_000,
      }),
    ),
  );
}
const sessions = new DistributedSessionManager({ serviceId, storage, sweepIntervalMs });
await sessions.connect();
console.log('ready');
process.stdin.resume().once('end', () => void sessions.close().then(() => storage.close()));
