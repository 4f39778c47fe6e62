import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { StorageUnavailableError } from 'nestjs-distributed-session';
import { PostgresSessionStorage } from 'nestjs-distributed-session/postgres';
import { RedisSessionStorage } from 'nestjs-distributed-session/redis';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import { PostgresServer } from '@distributed-session/test-servers/postgres/postgres-server.js';
import { RedisServer } from '@distributed-session/test-servers/redis/redis-server.js';
import { ADAPTERS } from '../support/adapters.js';
import { cookie } from '../support/credential-headers.js';
import { send } from '../support/http-request.js';
import { closeApps } from '../support/running-app.js';
import { ADMINS_COOKIE, type TwoModules, startTwoModules } from '../support/two-modules.js';

describe.each(ADAPTERS)('A module on Redis and a module on PostgreSQL, on %s', (_name, makeAdapter) => {
  let redis: RedisServer;
  let postgres: PostgresServer;

  beforeAll(async () => {
    [redis, postgres] = await Promise.all([RedisServer.start(), PostgresServer.start()]);
  });

  afterEach(closeApps);
  afterAll(() => Promise.all([redis.stop(), postgres.stop()]));

  async function start(): Promise<TwoModules> {
    const users = new RedisSessionStorage({ url: redis.url });
    const admins = new PostgresSessionStorage({ url: postgres.url });
    return startTwoModules(makeAdapter, {}, { users, admins });
  }

  test('hold the sessions of one application separately, and both close with it', async () => {
    const { app, url, users, admins } = await start();
    const alice = await users.createSession('alice');
    const root = await admins.createSession('root');
    const cookies = { cookie: `__Host-session=${alice.credential}; ${ADMINS_COOKIE}=${root.credential}` };
    expect((await send(`${url}/both`, cookies)).json).toEqual({ user: 'alice', admin: 'root' });
    expect((await send(`${url}/user`, cookie(root.credential))).status).toBe(401);
    expect((await send(`${url}/admin`, cookie(alice.credential, ADMINS_COOKIE))).status).toBe(401);
    await app.close();
    for (const manager of [users, admins]) {
      await expect(manager.countSessions()).rejects.toBeInstanceOf(StorageUnavailableError);
    }
    const again = await start();
    expect((await send(`${again.url}/both`, cookies)).json).toEqual({ user: 'alice', admin: 'root' });
  });

  test('fail and recover separately', async () => {
    const { url, users, admins } = await start();
    const alice = await users.createSession('alice');
    const root = await admins.createSession('root');
    const statuses = async () => [
      (await send(`${url}/user`, cookie(alice.credential))).status,
      (await send(`${url}/admin`, cookie(root.credential, ADMINS_COOKIE))).status,
    ];
    await redis.kill();
    expect(await statuses()).toEqual([503, 200]);
    await redis.restart();
    await eventually(async () => (await statuses())[0] !== 503);
    expect((await statuses())[1]).toBe(200);
  });
});
