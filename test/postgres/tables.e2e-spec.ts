import { Logger } from '@nestjs/common';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { PutService, SessionRecord, StorageChange } from 'nestjs-distributed-session/storage';
import { PostgresSessionStorage, type PostgresSessionStorageOptions } from 'nestjs-distributed-session/postgres';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import { PostgresServer } from '@distributed-session/test-servers/postgres/postgres-server.js';
import { SERVICE } from '../support/storage/service-calls.js';
import { settle } from '../support/storage/settled-call.js';
import { RETENTION_MS, WRITES, created, creation } from '../support/storage/storage-calls.js';

const ODD = { schema: 'My "Schema"; --', tablePrefix: 'sess_' };

const cleanUps: (() => Promise<unknown>)[] = [];
let server: PostgresServer;
let logged: jest.SpiedFunction<Logger['error']>;

beforeAll(async () => {
  server = await PostgresServer.start();
});

beforeEach(() => {
  logged = jest.spyOn(Logger.prototype, 'error').mockReturnValue(undefined);
});

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp();
  jest.restoreAllMocks();
});

afterAll(async () => {
  await server.stop();
});

async function connected(options: PostgresSessionStorageOptions): Promise<PostgresSessionStorage> {
  const storage = new PostgresSessionStorage(options);
  await storage.connect();
  cleanUps.push(async () => storage.close());
  return storage;
}

/** The statements that a message recommends. */
function wayOut(message = ''): string {
  return message.slice(message.indexOf('DELETE'));
}

describe('the tables of a PostgresSessionStorage', () => {
  test('may have any names, also for a storage that finds the tables there', async () => {
    const url = await server.createDatabase();
    const storage = await connected({ url, ...ODD });
    const other = await connected({ url, ...ODD, migrate: 'check' });
    const received: StorageChange[] = [];
    other.changes((change) => received.push(change));
    const session = await created(storage, 'alice');
    for (const write of Object.values(WRITES)) await write(storage, session);
    await storage.services.put(SERVICE);
    await storage.sweep({ limit: 10, historyRetentionMs: RETENTION_MS });
    expect(await other.get(session.sessionId)).toMatchObject({ state: 'ended' });
    expect(await other.services.findByKeyId(SERVICE.secret.keyId)).toMatchObject({ serviceId: SERVICE.serviceId });
    expect(await other.count()).toEqual({ sessions: 0, logins: 0 });
    await eventually(() => received.some(({ type }) => type === 'service.changed'));
    expect(received).toContainEqual(expect.objectContaining({ type: 'session.created', sessionId: session.sessionId }));
    const tables = await server.dump(new URL(url).pathname.slice(1));
    expect(tables).toContain(`${ODD.schema}.sess_session: session_id=${session.sessionId}`);
    expect(tables).not.toContain('distributed_session');
  });

  test('share no session, service or change with tables of other names in the same database', async () => {
    const url = await server.createDatabase();
    const storages = [
      await connected({ url }),
      await connected({ url, tablePrefix: 'other_' }),
      await connected({ url, schema: 'other' }),
    ];
    const received: StorageChange[][] = storages.map(() => []);
    storages.forEach((storage, at) => storage.changes((change) => received[at]!.push(change)));
    const sessions = await Promise.all(storages.map(async (storage) => created(storage, 'alice')));
    await storages[1]!.services.put(SERVICE);
    for (const [at, storage] of storages.entries()) {
      expect(await storage.listByLogin('alice')).toEqual([sessions[at]]);
      expect(await storage.count()).toEqual({ sessions: 1, logins: 1 });
      expect(await Promise.all(sessions.map(async ({ sessionId }) => storage.get(sessionId)))).toEqual(
        sessions.map((session, of) => (of === at ? session : undefined)),
      );
    }
    await WRITES.endAll(storages[0]!, sessions[0]!);
    await eventually(() => received.every((changes, at) => changes.length >= [2, 2, 1][at]!));
    expect(received.map((changes) => changes.map(({ type }) => type))).toEqual([
      ['session.created', 'session.ended'],
      ['session.created', 'service.changed'],
      ['session.created'],
    ]);
    expect(await storages[2]!.listByLogin('alice')).toHaveLength(1);
    expect(await storages[0]!.services.list()).toEqual([]);
  });
});

describe('a row that was edited by hand', () => {
  let url: string;
  let database: string;
  let storage: PostgresSessionStorage;

  beforeEach(async () => {
    url = await server.createDatabase();
    database = new URL(url).pathname.slice(1);
    storage = await connected({ url, tablePrefix: 'sess_' });
  });

  const run = async (text: string, values: unknown[] = []) =>
    server.use(async (client) => client.query(text, values), database);

  /** Three sessions of a user, the second of which is to be damaged. */
  async function threeSessions(isEnded: boolean): Promise<[SessionRecord, SessionRecord, SessionRecord]> {
    const sessions = [
      await created(storage, 'alice'),
      await created(storage, 'alice'),
      await created(storage, 'alice'),
    ];
    if (isEnded) for (const session of sessions) await WRITES.end(storage, session);
    return sessions as [SessionRecord, SessionRecord, SessionRecord];
  }

  test.each([
    ['a negative creation time', 'created_at = -1', false],
    ['a negative access time', 'last_accessed_at = -1', false],
    ['an expiry beyond the safe integers', 'expires_at = 9223372036854775807', false],
    ['an end reason that is not a name', "reason = 'Bored!'", true],
    ['a negative end time', 'ended_at = -1', true],
  ])('that has %s is reported with its place, and does not affect other sessions', async (_name, edit, isEnded) => {
    const [first, bad, last] = await threeSessions(isEnded);
    await run(`UPDATE sess_session SET ${edit} WHERE session_id = $1`, [bad.sessionId]);
    const found = await settle(() => storage.get(bad.sessionId));
    expect(found).toMatchObject({
      outcome: 'ERR_STORAGE_CORRUPT',
      message: expect.stringContaining(`Session ${bad.sessionId} cannot be read`),
    });
    const list = isEnded ? await storage.listHistory('alice') : await storage.listByLogin('alice');
    const readable = list.filter((entry) => entry.state !== 'unreadable');
    expect(readable.map(({ sessionId }) => sessionId).toSorted()).toEqual([first.sessionId, last.sessionId]);
    const unreadable = { state: 'unreadable', cause: 'corrupt', sessionId: bad.sessionId, loginId: 'alice' };
    expect(list.filter((entry) => entry.state === 'unreadable')).toMatchObject(isEnded ? [] : [unreadable]);
    expect(logged).toHaveBeenCalledWith(expect.stringContaining(bad.sessionId));
    for (const write of [WRITES.replace, WRITES.rotate]) {
      const { outcome } = await settle(() => write(storage, bad));
      expect(['ERR_STORAGE_CORRUPT', 'ERR_STORAGE_OUTCOME_UNKNOWN']).toContain(outcome);
    }
    await storage.touch([bad.sessionId, first.sessionId]).catch(() => undefined);
    expect(await storage.get(last.sessionId)).toMatchObject({ state: isEnded ? 'ended' : 'live' });
    const { sessionId } = await created(storage, 'alice');
    expect(await storage.create({ ...creation(storage, 'bob'), sessionId })).toEqual({ outcome: 'id-taken' });
    await storage.sweep({ limit: 10, historyRetentionMs: RETENTION_MS });
    await run(wayOut(found.message));
    expect(await storage.get(bad.sessionId)).toBeUndefined();
    expect(await storage.count()).toEqual({ sessions: isEnded ? 1 : 3, logins: 1 });
  });

  test.each([
    ['has permissions that are not a list', "UPDATE sess_service SET permissions = '{' WHERE service_id = 'orders'"],
    ['has a secret with an invalid hash', "UPDATE sess_service_secret SET hash = 'x' WHERE service_id = 'orders'"],
    ['has a negative creation time', "UPDATE sess_service SET created_at = -1 WHERE service_id = 'orders'"],
  ])('of a service that %s is reported with its place, and does not affect other services', async (_name, edit) => {
    const secret = { ...SERVICE.secret, keyId: 'of-billing' };
    const billing: PutService = { ...SERVICE, serviceId: 'billing', secret };
    for (const service of [SERVICE, billing]) await storage.services.put(service);
    await run(edit);
    const reads = [() => storage.services.find('orders'), () => storage.services.findByKeyId(SERVICE.secret.keyId)];
    for (const read of reads) {
      const message = expect.stringContaining('Service orders cannot be read');
      expect(await settle(read)).toMatchObject({ outcome: 'ERR_STORAGE_CORRUPT', message });
    }
    expect(await storage.services.findByKeyId('of-billing')).toMatchObject({ serviceId: 'billing' });
    expect(await storage.services.list()).toMatchObject([
      { serviceId: 'billing', version: 1 },
      { serviceId: 'orders', unreadable: 'corrupt' },
    ]);
    expect(await created(storage, 'alice')).toMatchObject({ version: 1 });
    await run(wayOut((await settle(reads[0]!)).message));
    expect(await storage.services.list()).toMatchObject([{ serviceId: 'billing' }]);
    expect(await storage.services.put(SERVICE)).toMatchObject({ outcome: 'stored' });
  });
});
