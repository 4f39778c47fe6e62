import { Redis } from 'ioredis';
import type { RedisServer } from '@distributed-session/test-servers/redis/redis-server.js';

/** The first letter of a heartbeat. */
const BEAT = 'B'.charCodeAt(0);

/** Counts the changes that one server publishes, even if it is no longer a master: every write on it publishes one. */
export class Announcements {
  /** The number of published changes, without heartbeats. */
  changes = 0;
  readonly #redis: Redis;

  private constructor({ host, port }: RedisServer) {
    this.#redis = new Redis({ host, port, lazyConnect: true, retryStrategy: () => null });
    // The server disconnects it when it becomes a replica.
    this.#redis.on('error', () => {});
    this.#redis.on('messageBuffer', (_channel: Buffer, message: Buffer) => {
      if (message[0] !== BEAT) this.changes += 1;
    });
  }

  static async of(server: RedisServer, keyPrefix: string): Promise<Announcements> {
    const announcements = new Announcements(server);
    await announcements.#redis.connect();
    await announcements.#redis.subscribe(`${keyPrefix}:changes`);
    return announcements;
  }

  close(): void {
    this.#redis.disconnect();
  }
}
