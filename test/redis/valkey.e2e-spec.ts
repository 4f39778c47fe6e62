import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { RedisSessionStorage } from 'nestjs-distributed-session/redis';
import { RedisServer } from '@distributed-session/test-servers/redis/redis-server.js';
import { settle } from '../support/storage/settled-call.js';
import { expectShared } from '../support/storage/shared-sessions.js';

// The full tier also runs both suites for storages on Valkey: see ON_VALKEY in test/tiers.js.
describe('RedisSessionStorage on Valkey', () => {
  let server: RedisServer;

  beforeAll(async () => {
    server = await RedisServer.start();
  });

  afterAll(() => server.stop());

  test('shares its sessions and changes with other processes', async () => {
    expect(await server.info('server', 'server_name')).toBe('valkey');
    const [one, other] = [new RedisSessionStorage({ url: server.url }), new RedisSessionStorage({ url: server.url })];
    await Promise.all([one.connect(), other.connect()]);
    await expectShared(one, other);
    await Promise.all([one.close(), other.close()]);
  });

  test('checks the settings of the server at start', async () => {
    await server.call('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru');
    const { outcome, message } = await settle(() => new RedisSessionStorage({ url: server.url }).connect());
    expect([outcome, message]).toEqual(['ERR_OPTIONS', expect.stringContaining('maxmemory-policy is allkeys-lru')]);
  });
});
