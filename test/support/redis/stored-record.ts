import type { RedisServer } from '@distributed-session/test-servers/redis/redis-server.js';

/** The keys of a session, as `docs/data-models.md` names them. */
export function keysOf(
  keyPrefix: string,
  sessionId: string,
): Record<'login' | 'counter' | 'expiries' | 'online' | 'sequence', string> {
  const digits = sessionId.replaceAll('-', '');
  const tag = `${digits.slice(0, 12)}${digits.slice(13, 16)}`;
  const shard = `{${keyPrefix}:${tag.slice(0, 2)}}`;
  return {
    login: `${shard}:u:${tag}`,
    counter: `${shard}:n`,
    expiries: `${shard}:e`,
    online: `${shard}:o`,
    sequence: `${shard}:s`,
  };
}

/** The stored bytes of a session or its tombstone, to read and damage them. */
export class StoredRecord {
  readonly key: string;

  constructor(
    private readonly server: RedisServer,
    keyPrefix: string,
    private readonly sessionId: string,
  ) {
    this.key = keysOf(keyPrefix, sessionId).login;
  }

  async read(): Promise<Buffer> {
    const value = await this.server.use((redis) => redis.hgetBuffer(this.key, this.sessionId));
    if (!value) throw new Error(`Nothing is stored for ${this.sessionId}.`);
    return value;
  }

  async write(value: Buffer): Promise<void> {
    await this.server.call('HSET', this.key, this.sessionId, value);
  }
}
