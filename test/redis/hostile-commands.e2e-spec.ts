import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { RedisSessionStorage } from 'nestjs-distributed-session/redis';
import { RedisServer } from '@distributed-session/test-servers/redis/redis-server.js';
import { ACL_ROLES, type AclRole, createAclUser, urlOf } from '../support/redis/acl-roles.js';
import { keysOf } from '../support/redis/stored-record.js';
import { SERVICE } from '../support/storage/service-calls.js';
import { created } from '../support/storage/storage-calls.js';

let server: RedisServer;
let owner: RedisSessionStorage;
/** The key of a user's sessions. */
let login: string;

beforeAll(async () => {
  server = await RedisServer.start();
  for (const role of ACL_ROLES) await createAclUser(server, role);
  owner = new RedisSessionStorage({ url: urlOf(server, 'ds-owner') });
  await owner.connect();
  await owner.services.put(SERVICE);
  ({ login } = keysOf('ds', (await created(owner, 'ada')).sessionId));
});

afterAll(async () => {
  await owner.close();
  await server.stop();
});

/** Commands that no service needs, and those that would exceed a role. `{…}` stands for keys of a session. */
const HOSTILE: readonly {
  readonly name: string;
  readonly command: readonly string[];
  readonly except?: readonly AclRole[];
}[] = [
  ...['{ds}:svc', '{ds}:svc:keys'].map((key) => {
    return {
      name: `HSET on ${key}`,
      command: ['HSET', key, 'evil', 'x'],
      except: ['registry', 'owner'] as AclRole[],
    };
  }),
  {
    name: 'an own script that registers a service',
    command: ['EVAL', "return redis.call('HSET', KEYS[1], 'evil', 'x')", '1', '{ds}:svc'],
    except: ['registry', 'owner'],
  },
  {
    name: 'an own script that hides the key',
    command: ['EVAL', "return redis.call('HSET', '{ds}' .. ':svc', 'evil', 'x')", '0'],
    except: ['registry', 'owner'],
  },
  {
    name: 'HVALS on the hashes of secrets',
    command: ['HVALS', '{ds}:svc'],
    except: ['sessions', 'registry', 'owner'],
  },
  {
    name: 'HGET of the hashes of a secret',
    command: ['HGET', '{ds}:svc', SERVICE.serviceId],
    except: ['sessions', 'registry', 'owner'],
  },
  {
    name: 'a reading script on the hashes of secrets',
    command: ['EVAL_RO', "return redis.call('HVALS', KEYS[1])", '1', '{ds}:svc'],
    except: ['sessions', 'registry', 'owner'],
  },
  { name: 'HGETALL on a session', command: ['HGETALL', '{login}'], except: ['sessions', 'reader', 'owner'] },
  { name: 'HSET on a session', command: ['HSET', '{login}', 'f', 'v'], except: ['sessions', 'owner'] },
  { name: 'DEL on a session', command: ['DEL', '{login}'], except: ['sessions', 'owner'] },
  { name: 'HSET of the feed key', command: ['HSET', '{ds}:meta', 'feedKey', 'a'], except: ['owner'] },
  { name: 'HDEL of the feed key', command: ['HDEL', '{ds}:meta', 'feedKey'], except: ['owner'] },
  { name: 'PUBLISH', command: ['PUBLISH', 'ds:changes', 'm'], except: ['sessions', 'registry', 'owner'] },
  { name: 'PUBLISH on the channel of another prefix', command: ['PUBLISH', 'ds:changes:changes', 'm'] },
  { name: 'SUBSCRIBE to the channel of another prefix', command: ['SUBSCRIBE', 'ds:other:changes'] },
  { name: 'PSUBSCRIBE', command: ['PSUBSCRIBE', '*'] },
  ...[
    '{ds:other:00}:u:1',
    '{ds:other}:svc',
    '{ds:ab}:svc',
    '{ds:ab}:meta',
    '{ds:ab:00}:u:1',
    '{ds:0}:u:1',
    'other',
  ].map((key) => ({ name: `HGET on ${key} of another prefix`, command: ['HGET', key, 'f'] })),
  ...[
    ['KEYS', '*'],
    ['SCAN', '0'],
    ['CONFIG', 'GET', '*'],
    ['FLUSHALL'],
    ['FLUSHDB'],
    ['ACL', 'LIST'],
    ['MONITOR'],
    ['SLOWLOG', 'GET'],
    ['CLIENT', 'KILL', 'TYPE', 'pubsub'],
    ['SCRIPT', 'FLUSH'],
    ['FUNCTION', 'LIST'],
    ['REPLICAOF', 'NO', 'ONE'],
    ['RENAME', '{ds}:svc', '{ds}:old'],
    ['COPY', '{ds}:svc', '{ds:00}:u:copy'],
    ['DUMP', '{ds}:svc'],
    ['SORT', '{ds:00}:e'],
    ['SHUTDOWN', 'NOSAVE'],
  ].map((command) => ({ name: command.join(' '), command })),
];

describe.each(ACL_ROLES)('A Redis client with the role %s', (role) => {
  let client: Redis;

  beforeEach(() => {
    client = new Redis(urlOf(server, `ds-${role}`), { retryStrategy: () => null });
  });

  afterEach(() => client.disconnect());

  test.each(HOSTILE.filter(({ except }) => !except?.includes(role)))('may not run $name', async ({ command }) => {
    const [name, ...args] = command.map((part) => (part === '{login}' ? login : part));
    const reply: unknown = await client.call(name!, args).catch((error: unknown) => error);
    // Redis answers NOPERM, and in a script that the user cannot run the command or access the key.
    expect((reply as Error).message).toMatch(/^NOPERM|permission|can't run this command|can't access/iu);
    expect(await server.call('HEXISTS', '{ds}:svc', 'evil')).toBe(0);
  });
});
