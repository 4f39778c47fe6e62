import { afterEach, describe, expect, it } from '@jest/globals';
import { eventually } from '../../src/eventually.js';
import { PostgresServer } from '../../src/postgres/postgres-server.js';
import { PostgresStandby, type PostgresStandbyOptions } from '../../src/postgres/postgres-standby.js';

const servers: PostgresServer[] = [];

async function startPair(options?: PostgresStandbyOptions): Promise<[primary: PostgresServer, PostgresStandby]> {
  const primary = await PostgresServer.start();
  servers.push(primary);
  await primary.query('CREATE TABLE t (n int)');
  // Without effect here, but effective after a start with the same settings.
  await primary.query("ALTER SYSTEM SET synchronous_standby_names = 'somebody'");
  const standby = await PostgresStandby.start(primary, options);
  servers.push(standby.server);
  return [primary, standby];
}

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.stop()));
});

describe('PostgresStandby', () => {
  it('follows its primary and replaces it once promoted', async () => {
    const [primary, standby] = await startPair();
    await primary.query('INSERT INTO t VALUES (1)');
    await standby.waitForReplay();
    expect(await standby.server.query('SELECT n FROM t')).toEqual([{ n: 1 }]);
    await expect(standby.server.query('INSERT INTO t VALUES (2)')).rejects.toThrow('read-only');
    await primary.kill();
    await standby.promote();
    await standby.server.query('INSERT INTO t VALUES (3)');
    expect(await standby.server.query('SELECT n FROM t ORDER BY n')).toEqual([{ n: 1 }, { n: 3 }]);
  });

  it("waits until the standby has its primary's data, although the primary does not wait", async () => {
    const [primary, standby] = await startPair();
    await standby.server.query('SELECT pg_wal_replay_pause()');
    await primary.query('INSERT INTO t VALUES (1)');
    let isThere = false;
    const replay = standby.waitForReplay().then(() => (isThere = true));
    // As long as many queries take.
    for (let n = 0; n < 10; n++) expect(await standby.server.query('SELECT n FROM t')).toEqual([]);
    expect(isThere).toBe(false);
    await standby.server.query('SELECT pg_wal_replay_resume()');
    await replay;
    expect(await standby.server.query('SELECT n FROM t')).toEqual([{ n: 1 }]);
  });

  it('has every acknowledged commit if it is synchronous', async () => {
    const [primary, standby] = await startPair({ isSynchronous: true });
    await primary.query('INSERT INTO t VALUES (1)');
    standby.server.freeze();
    let isAnswered = false;
    const commit = primary.query('INSERT INTO t VALUES (2)').finally(() => (isAnswered = true));
    await eventually(async () => {
      const waiting = await primary.query("SELECT 1 FROM pg_stat_activity WHERE wait_event = 'SyncRep'");
      return waiting.length === 1;
    });
    expect(isAnswered).toBe(false);
    standby.server.resume();
    await commit;
    await primary.kill();
    await standby.promote();
    // The promoted server waits for no standby.
    await standby.server.query('INSERT INTO t VALUES (3)');
    expect(await standby.server.query('SELECT n FROM t ORDER BY n')).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }]);
  });
});
