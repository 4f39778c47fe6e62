import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { PostgresSessionStorage } from 'nestjs-distributed-session/postgres';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import { PostgresServer } from '@distributed-session/test-servers/postgres/postgres-server.js';
import { SERVICE, SERVICE_READS, SERVICE_WRITES } from '../support/storage/service-calls.js';
import { READS, RETENTION_MS, WRITES, created, creation } from '../support/storage/storage-calls.js';

const ROUNDS = 20;
const LOGINS = 24;
const LIMIT = 5;

const ADVISORY = `SELECT oid::regprocedure::text AS signature, prorettype::regtype::text AS type, proname AS name
  FROM pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace AND proname LIKE '%advisory%'`;

/** Out of the way: PostgreSQL calls its own functions by their number, whatever text a replacement has. */
const remove = (signature: string) =>
  `ALTER FUNCTION pg_catalog.${signature} RENAME TO "gone_${signature.slice(0, signature.indexOf('('))}"`;

/** What servers and proxies without advisory locks do, as the superuser can reproduce it in a database. */
const SERVERS: Readonly<Record<string, (signature: string, type: string) => readonly string[]>> = {
  'accepts advisory locks and ignores them': (signature, type) => [
    remove(signature),
    `CREATE FUNCTION pg_catalog.${signature} RETURNS ${type} LANGUAGE sql AS $$ SELECT ${type === 'boolean' ? 'true' : ''} $$`,
  ],
  'has no advisory locks': (signature) => [remove(signature)],
};

let server: PostgresServer;

beforeAll(async () => {
  server = await PostgresServer.start();
});

afterAll(async () => {
  await server.stop();
});

describe.each(Object.entries(SERVERS))('on a server that %s', (name, change) => {
  const storages: PostgresSessionStorage[] = [];
  const put = async (n: number) =>
    storages[n % 3]!.services.put({ ...SERVICE, serviceId: 'one', secret: { ...SERVICE.secret, keyId: 'one' } });
  let url: string;

  beforeAll(async () => {
    url = await server.createDatabase(name);
    const signatures = await server.query<{ signature: string; type: string }>(ADVISORY);
    await server.use(async (client) => {
      for (const { signature, type } of signatures) await client.query(change(signature, type).join('; '));
    }, name);
    for (let n = 0; n < 3; n++) storages.push(new PostgresSessionStorage({ url, deadlineMs: 10_000 }));
    await Promise.all(storages.map(async (storage) => storage.connect()));
  });

  afterAll(async () => {
    await Promise.all(storages.map(async (storage) => storage.close()));
  });

  test(`the limit of ${LIMIT} sessions holds in each of ${ROUNDS} rounds of ${LOGINS} simultaneous logins`, async () => {
    const counts: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const loginId = `user of round ${round}`;
      const limits = { perLogin: LIMIT, onLimit: 'end-oldest' } as const;
      await Promise.all(
        Array.from({ length: LOGINS }, async (_, n) => {
          const storage = storages[n % storages.length]!;
          return storage.create({ ...creation(storage, loginId), limits });
        }),
      );
      counts.push((await storages[0]!.listByLogin(loginId)).length);
    }
    expect(counts).toEqual(Array.from({ length: ROUNDS }, () => LIMIT));
    expect(await storages[0]!.count()).toEqual({ sessions: ROUNDS * LIMIT, logins: ROUNDS });
  });

  test('every operation works, and changes are published in order', async () => {
    const [storage, other] = storages as [PostgresSessionStorage, PostgresSessionStorage];
    const received: string[] = [];
    const stop = other.changes((published) => {
      if ('loginId' in published && published.loginId === 'carol') received.push(published.type);
    });
    const session = await created(storage, 'carol');
    await WRITES.replace(storage, session);
    await WRITES.end(storage, session);
    await eventually(() => received.includes('session.ended'));
    for (const call of Object.values({ ...WRITES, ...READS })) await call(storage, await created(storage, 'worker'));
    for (const call of Object.values({ ...SERVICE_WRITES, ...SERVICE_READS })) {
      await storage.services.put({ ...SERVICE, replace: true });
      await call(storage);
    }
    await storage.sweep({ limit: 10, historyRetentionMs: RETENTION_MS });
    stop();
    expect(received).toEqual(['session.created', 'session.updated', 'session.ended']);
  });

  test('ten simultaneous registrations of one service are one', async () => {
    const outcomes = await Promise.all(Array.from({ length: 10 }, async (_, n) => put(n)));
    expect(outcomes.filter(({ outcome }) => outcome === 'stored')).toHaveLength(1);
  });
});
