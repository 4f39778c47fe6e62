import { DistributedSessionManager } from 'nestjs-distributed-session';
import { RedisSessionStorage } from 'nestjs-distributed-session/redis';

/**
 * A service that does nothing but sweep, as every service does. Started as `node sweeper.js '<json>'`, it says `ready`
 * and sweeps until its input ends.
 *
 * @type {{ serviceId: string, url: string, sweepIntervalMs: number }}
 */
const { serviceId, url, sweepIntervalMs } = JSON.parse(process.argv[2] ?? '');

const storage = new RedisSessionStorage({ url });
const sessions = new DistributedSessionManager({ serviceId, storage, sweepIntervalMs });
await sessions.connect();
console.log('ready');
process.stdin.resume().once('end', () => void sessions.close());
