import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { OptionsError } from 'nestjs-distributed-session';
import { RedisSessionStorage, type RedisSessionStorageOptions } from 'nestjs-distributed-session/redis';
import type { SessionRecord } from 'nestjs-distributed-session/storage';
import { RedisServer } from '@distributed-session/test-servers/redis/redis-server.js';
import { describeReadOnlyUser } from '../server-storage-suite/read-only-user.topic.js';
import { ACL_PASSWORD, ACL_ROLES, type AclRole, createAclUser, rulesOf, urlOf } from '../support/redis/acl-roles.js';
import { SERVICE, SERVICE_READS, SERVICE_WRITES } from '../support/storage/service-calls.js';
import { settle } from '../support/storage/settled-call.js';
import { created, READS, WRITES } from '../support/storage/storage-calls.js';

let server: RedisServer;
const opened: RedisSessionStorage[] = [];

beforeAll(async () => {
  server = await RedisServer.start();
  for (const role of ACL_ROLES) await createAclUser(server, role);
});

afterEach(async () => {
  for (const storage of opened.splice(0)) await storage.close();
  await server.call('FLUSHALL');
});

afterAll(() => server.stop());

async function connectAs(user: string, options: RedisSessionStorageOptions = {}): Promise<RedisSessionStorage> {
  const storage = new RedisSessionStorage({ url: urlOf(server, user), heartbeatIntervalMs: 100, ...options });
  opened.push(storage);
  await storage.connect();
  return storage;
}

describeReadOnlyUser('RedisSessionStorage', {
  owner: () => connectAs('ds-owner'),
  reader: () => connectAs('ds-reader'),
  solution: 'does not allow its user',
  note: 'its user',
  readsServices: false,
});

/** Each call of a storage, by the right that it requires. */
const CALLS = {
  'count sessions': { count: READS.count },
  'read sessions': (({ count: _count, ...reads }) => reads)(READS),
  'write sessions': WRITES,
  'read services': SERVICE_READS,
  'write services': SERVICE_WRITES,
} as const satisfies Record<
  string,
  Record<string, (storage: RedisSessionStorage, session: SessionRecord) => Promise<unknown>>
>;

const ALLOWED: Readonly<Record<AclRole, readonly (keyof typeof CALLS)[]>> = {
  sessions: ['count sessions', 'read sessions', 'write sessions', 'read services'],
  registry: ['read services', 'write services'],
  reader: ['count sessions', 'read sessions'],
  monitor: ['count sessions'],
  owner: ['count sessions', 'read sessions', 'write sessions', 'read services', 'write services'],
};

describe.each(ACL_ROLES)('RedisSessionStorage of a user with the role %s', (role) => {
  test.each(Object.keys(CALLS) as (keyof typeof CALLS)[])('may or may not %s, as documented', async (right) => {
    const [owner, storage] = [await connectAs('ds-owner'), await connectAs(`ds-${role}`)];
    const stored = async () => JSON.stringify([await owner.listByLogin('ada'), await owner.services.list()]);
    const expected = ALLOWED[role].includes(right) ? 'allowed' : 'refused without a change';
    for (const [name, call] of Object.entries(CALLS[right])) {
      await owner.services.put({ ...SERVICE, replace: true });
      const session = await created(owner, 'ada');
      const before = await stored();
      const { outcome, message = '' } = await settle(() => call(storage, session));
      const isRefused = outcome === 'ERR_STORAGE_UNAVAILABLE' && message.includes('does not allow its user');
      const isUnchanged = before === (await stored());
      const refused = isRefused && isUnchanged ? 'refused without a change' : `${outcome}: ${message}`;
      expect([name, outcome.startsWith('ERR') ? refused : 'allowed']).toEqual([name, expected]);
    }
  });

  test('receives the changes of others, and reports whether it may write', async () => {
    const [owner, storage] = [await connectAs('ds-owner'), await connectAs(`ds-${role}`)];
    const received: string[] = [];
    storage.changes(({ type }) => received.push(type));
    await created(owner, 'ada');
    await until(() => received.includes('session.created') && storage.feedLagMs() < 5_000);
    expect(await storage.ping()).toMatchObject({ writable: !['reader', 'monitor'].includes(role) });
  });
});

test('An error about a missing right names the command, the key and the role', async () => {
  const storage = await connectAs('ds-sessions');
  await expect(storage.services.put({ ...SERVICE, permissions: ['*'] })).rejects.toMatchObject({
    message:
      'Redis does not allow its user to write services: it lacks the right to HKEYS on {ds}:svc. ' +
      'Use a user with the role registry or owner (docs/redis.md).',
  });
});

describe('RedisSessionStorage with other rights', () => {
  test.each([
    ['-publish', 'PUBLISH'],
    ['-zadd', 'ZADD'],
    ['-hget', 'HGET'],
    ['resetchannels', 'SUBSCRIBE, PUBLISH'],
  ])(
    'rejects a user without a necessary right (%s) at start, before a script could stop half-way',
    async (rule, missing) => {
      await server.call('ACL', 'SETUSER', 'lacking', 'reset', ...(await rulesOf('owner')), `>${ACL_PASSWORD}`, rule);
      const rejected: unknown = await connectAs('lacking').catch((error: unknown) => error);
      expect(rejected).toBeInstanceOf(OptionsError);
      expect((rejected as OptionsError).errors).toEqual([
        `its user may not run ${missing} on the keys of this library: see docs/redis-acl`,
      ]);
    },
  );

  test('rejects a user whose rights are for another prefix', async () => {
    const connecting = connectAs('ds-owner', { keyPrefix: 'other' });
    await expect(connecting).rejects.toMatchObject({ message: expect.stringContaining('its user') });
  });

  test('works for a user of the sessions without the hashes of secrets, which cannot verify services', async () => {
    const rules = (await rulesOf('sessions')).filter((rule) => !/^%R~\{ds\}:svc(?::keys)?$/u.test(rule));
    await server.call('ACL', 'SETUSER', 'hashless', 'reset', ...rules, `>${ACL_PASSWORD}`);
    const storage = await connectAs('hashless');
    const session = await created(storage, 'ada');
    for (const write of Object.values(WRITES))
      expect((await settle(() => write(storage, session))).outcome).not.toMatch(/^ERR/u);
    const found = await settle(() => storage.services.find(SERVICE.serviceId));
    expect(found).toMatchObject({ message: expect.stringContaining('does not allow its user') });
  });

  test('claims an empty store as a user of the sessions; only an owner upgrades one of an earlier format', async () => {
    const storage = await connectAs('ds-sessions');
    const claim = await server.call('HGETALL', '{ds}:meta');
    expect(Object.keys(Object(claim))).not.toEqual([]);
    await storage.close();
    await server.call('HSET', '{ds}:meta', 'format', '1');
    for (const user of ['ds-sessions', 'ds-registry']) {
      await expect(connectAs(user)).rejects.toMatchObject({ message: expect.stringContaining('role owner') });
    }
    await connectAs('ds-owner');
    expect(await server.call('HGET', '{ds}:meta', 'format')).not.toBe('1');
    await created(await connectAs('ds-sessions'), 'ada');
  });
});

test('The commands in docs/redis.md create a user with its password, also for another prefix', async () => {
  const text = await readFile('docs/redis.md', 'utf8');
  const [create, rename] = Array.from(text.matchAll(/```sh\n(.*?)```/gsu), ([, commands]) => commands!);
  const run = async (commands: string) => {
    const script = `redis-cli() { command redis-cli -p ${server.port} "$@"; }\n${commands}\nprintf %s "$password"`;
    const { stdout } = await promisify(execFile)('bash', ['-eu', '-c', script]);
    return stdout.split('\n').at(-1)!;
  };
  const connect = async (user: string, password: string, keyPrefix: string) => {
    const url = `redis://${user}:${encodeURIComponent(password)}@127.0.0.1:${server.port}`;
    await created(await connectAs(user, { url, keyPrefix }), 'ada');
  };
  await connect('ds-sessions', await run(create!), 'ds');
  await connect('shop-sessions', await run(`${create!}\n${rename!}`), 'shop');
  const anonymous = new Redis({ port: server.port, retryStrategy: () => null });
  await expect(anonymous.call('AUTH', 'ds-sessions', '')).rejects.toThrow(/WRONGPASS/u);
  anonymous.disconnect();
  await createAclUser(server, 'sessions');
});

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}
