import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll } from '@jest/globals';
import type { UnreadableCause } from 'nestjs-distributed-session';
import { RedisSessionStorage, type RedisSessionStorageOptions } from 'nestjs-distributed-session/redis';
import type { CreateStorageFixture } from 'nestjs-distributed-session/testing';
import { RedisServer } from '@distributed-session/test-servers/redis/redis-server.js';
import { FORMAT } from '../../../libs/distributed-session/src/storage/redis/records/stored-session.js';
import { createAclUser, urlOf } from './acl-roles.js';
import { keysOf } from './stored-record.js';

/**
 * Deletes everything but the numbers of the change feed (`{ds:…}:s`, `{ds}:svc:s`) and its key (`{ds}:meta`): if they
 * changed, the feed would rightly report a gap.
 */
const CLEAR = `
for _, key in ipairs(redis.call('KEYS', '*')) do
  if string.sub(key, -2) ~= ':s' and string.sub(key, -5) ~= ':meta' then redis.call('DEL', key) end
end`;

/** A record of the next format, whose payload only a later release reads; and a text that is not a record. */
const UNREADABLE: Readonly<Record<UnreadableCause, (value: Buffer) => Buffer>> = {
  'newer-format': (value) => Buffer.concat([Buffer.from([FORMAT + 1]), value.subarray(1), Buffer.from('added')]),
  corrupt: () => Buffer.from('Hello, is anybody there?'),
};

export interface RedisTarget {
  /** How the storage connects. Without a key prefix, each fixture has its own. */
  readonly options: RedisSessionStorageOptions;
  /** The servers that hold the data, asked for once per fixture. */
  readonly masters: () => Promise<readonly RedisServer[]>;
}

/**
 * A storage on running servers that no other storage uses at the same time. Its deadline is not the default: the suites
 * check outcomes, and 100 concurrent logins of one user may take longer than a second on a busy machine.
 */
export function redisFixture(target: () => RedisTarget): CreateStorageFixture {
  return async () => {
    const { options, masters } = target();
    const shared = { keyPrefix: `ds:${randomUUID()}`, deadlineMs: 10_000, ...options };
    const servers = await masters();
    const clear = async () => {
      await Promise.all(servers.map(async (server) => server.call('EVAL', CLEAR, 0)));
    };
    return {
      storage: new RedisSessionStorage(shared),
      clear,
      another: async () => {
        const other = new RedisSessionStorage(shared);
        await other.connect();
        return other;
      },
      dump: async () => (await Promise.all(servers.map(async (server) => server.dump()))).join('\n'),
      makeUnreadable: async (sessionId, cause) => {
        const { login } = keysOf(shared.keyPrefix, sessionId);
        for (const server of servers) {
          await server.use(async (redis) => {
            // On a cluster, only one of the masters has the key.
            const value = await redis.hgetBuffer(login, sessionId).catch(() => null);
            if (value) await redis.hset(login, sessionId, UNREADABLE[cause](value));
          });
        }
      },
      dispose: clear,
    };
  };
}

/** A storage on its own server, as a user with the roles sessions and registry and no other rights. */
export function restrictedRedisFixture(): CreateStorageFixture {
  let server: RedisServer;
  let user: string;

  beforeAll(async () => {
    server = await RedisServer.start();
    user = await createAclUser(server, 'sessions', 'registry');
  });

  afterAll(async () => {
    await server.stop();
  });

  return redisFixture(() => ({
    options: { url: urlOf(server, user), keyPrefix: 'ds' },
    masters: async () => [server],
  }));
}
