import { describe, expect, test } from '@jest/globals';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import {
  FORBIDDEN_TO_ALL,
  FORBIDDEN_TO_READERS,
  allowed,
  useGrantedRoles,
  waitForFeed,
} from '../support/postgres/use-granted-roles.js';
import { SERVICE, SERVICE_READS, SERVICE_WRITES } from '../support/storage/service-calls.js';
import { READS, RETENTION_MS, WRITES, created } from '../support/storage/storage-calls.js';

const roles = useGrantedRoles();
const { connectAs } = roles;

describe('a user with the privileges of sessions.sql', () => {
  test('reads, writes and sweeps sessions, verifies services and records their use, and receives changes', async () => {
    const storage = await connectAs('sessions');
    for (const write of Object.values(WRITES)) await write(storage, await created(roles.owner, 'harry'));
    await storage.services.recordUse({ serviceId: SERVICE.serviceId, keyId: SERVICE.secret.keyId });
    await storage.sweep({ limit: 10, historyRetentionMs: RETENTION_MS });
    await roles.owner.services.put({ ...SERVICE, replace: true });
    const session = await created(roles.owner, 'alice');
    for (const read of Object.values(READS)) await read(storage, session);
    for (const read of Object.values(SERVICE_READS)) await read(storage);
    await waitForFeed(storage);
    expect(await storage.ping()).toEqual({ writable: true, notes: [] });
  });

  test('cannot register, change or revoke a service: each is rejected as not applied', async () => {
    const storage = await connectAs('sessions');
    await roles.owner.services.put({ ...SERVICE, replace: true });
    const before = await roles.owner.services.list();
    for (const write of Object.values(SERVICE_WRITES)) {
      const message = expect.stringContaining('docs/postgres-grants');
      await expect(write(storage)).rejects.toMatchObject({ code: 'ERR_STORAGE_UNAVAILABLE', message });
    }
    expect(await roles.owner.services.list()).toEqual(before);
  });

  test('cannot do so by raw SQL either, and has no other privilege', async () => {
    const statements = [
      `INSERT INTO distributed_service VALUES ('evil', 'Evil', '["*"]', 1, 0)`,
      `INSERT INTO distributed_service_secret (key_id, service_id, hash, created_at) VALUES ('k', 'orders', '{}', 0)`,
      `UPDATE distributed_service SET permissions = '["*"]'`,
      `UPDATE distributed_service_secret SET hash = '{}'`,
      'UPDATE distributed_service_secret SET ends_at = NULL',
      `UPDATE distributed_service_secret SET service_id = 'orders'`,
      'DELETE FROM distributed_service',
      'DELETE FROM distributed_service_secret',
      'SELECT * FROM distributed_service',
      `SELECT distributed_put_service('evil', 'Evil', '["*"]', 'k', '{}', true, 'evil', 'evil:1')`,
    ];
    expect(await allowed(roles.server, 'sessions', [...FORBIDDEN_TO_ALL, ...statements])).toEqual([]);
  });
});

describe('a user with the privileges of monitor.sql', () => {
  test('counts sessions, lists who is online, and receives changes', async () => {
    const storage = await connectAs('monitor');
    const received: string[] = [];
    storage.changes(({ type }) => received.push(type));
    const { sessionId } = await created(roles.owner, 'irene');
    expect(await storage.count()).toEqual(await roles.owner.count());
    const { logins } = await storage.listLogins({ limit: 1_000 });
    expect(logins).toContainEqual({ loginId: 'irene', sessions: 1 });
    await roles.owner.end({ sessionId, reason: 'logged-out', by: 'tests', historyRetentionMs: RETENTION_MS });
    await eventually(() => received.includes('session.ended'));
    await waitForFeed(storage);
    expect(await storage.ping()).toMatchObject({ writable: false });
  });

  test('cannot read a session or a service through the storage, nor write any: each is rejected', async () => {
    const storage = await connectAs('monitor');
    const session = await created(roles.owner, 'julia');
    await roles.owner.services.put({ ...SERVICE, replace: true });
    const calls = [
      ...Object.values(WRITES).map(async (write) => write(storage, session)),
      ...Object.values({ ...SERVICE_WRITES, ...SERVICE_READS }).map(async (call) => call(storage)),
      storage.get(session.sessionId),
      storage.listByLogin(session.loginId),
    ];
    for (const result of await Promise.allSettled(calls)) {
      const reason = { code: 'ERR_STORAGE_UNAVAILABLE', message: expect.stringContaining('docs/postgres-grants') };
      expect(result).toMatchObject({ status: 'rejected', reason });
    }
    expect(await roles.owner.get(session.sessionId)).toMatchObject({ state: 'live' });
  });

  test('sees no payload, no digest and no hash by raw SQL, and cannot write', async () => {
    const statements = [
      'SELECT payload FROM distributed_session',
      'SELECT token_digest FROM distributed_session',
      'SELECT * FROM distributed_session',
      'SELECT session FROM distributed_session AS session',
      'SELECT hash FROM distributed_service_secret',
      'SELECT * FROM distributed_current_service',
      `SELECT distributed_read_session_exactly('00000000-0000-4000-8000-000000000001')`,
      'SELECT distributed_flush_changes(true)',
      `INSERT INTO distributed_session_change (change) VALUES ('{}')`,
      ...FORBIDDEN_TO_READERS,
    ];
    expect(await allowed(roles.server, 'monitor', [...FORBIDDEN_TO_ALL, ...statements])).toEqual([]);
  });
});
