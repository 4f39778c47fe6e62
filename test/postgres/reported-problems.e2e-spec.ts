import { describe, expect, test } from '@jest/globals';
import { PostgresSessionStorage } from 'nestjs-distributed-session/postgres';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import { CapturedOutput } from '../support/captured-output.js';
import { errorsAt, rewriting, usePostgresInterference } from '../support/postgres/interfered-server.js';
import { created } from '../support/storage/storage-calls.js';

const context = usePostgresInterference();
const replacedVersion = (version: string) => rewriting('SELECT pg_catalog.version()', `SELECT '${version}'`);

describe('PostgresSessionStorage.connect() to a product that is not PostgreSQL', () => {
  test.each([
    [
      'CockroachDB CCL v25.2.1 (x86_64-pc-linux-gnu, built 2025)',
      /CockroachDB, not PostgreSQL\. This library is not tested on it, and LISTEN, and parts of PL\/pgSQL may be missing\. The checks at start decide/u,
    ],
    [
      'PostgreSQL 15.12-YB-2.25.2.0-b0 on x86_64-pc-linux-gnu',
      /YugabyteDB, not PostgreSQL\..*LOCK TABLE may be missing/u,
    ],
    ['FooDB 3.1', /The server is FooDB 3\.1, not PostgreSQL\. Nothing is known about it\. The checks at start decide/u],
    ['PostgreSQL 13.9-FooDB-2', /The server is PostgreSQL 13\.9-FooDB-2, not PostgreSQL\. Nothing is known about it/u],
  ])('reports in one warning what is known about %s, and works if the checks pass', async (version, line) => {
    const [output] = await errorsAt((await context.proxied(replacedVersion(version))).url);
    expect(output).toMatch(/^It started/u);
    expect(output!.split('\n').filter((each) => /WARN/u.test(each) && line.test(each))).toHaveLength(1);
  });

  test.each(['Redshift 1.0.12103', '(Materialize 0.130)', '13.14.0-RisingWave-2.0.0', 'CrateDB 5.4.0'])(
    'is refused at once on %s, which is known not to work',
    async (version) => {
      const errors = await errorsAt((await context.proxied(replacedVersion(`PostgreSQL 8.0.2 ${version}`))).url);
      expect(errors).toEqual([expect.stringMatching(/^it is \w+, which lacks .*: use PostgreSQL 14 or later$/u)]);
    },
  );

  test('names the product when it rejects the schema', async () => {
    const proxy = await context.proxied({
      rewrite: (sql) =>
        sql
          .replace('SELECT pg_catalog.version()', `SELECT 'CockroachDB CCL v25.2.1'`)
          .replace('LANGUAGE plpgsql', 'LANGUAGE missing'),
    });
    expect(await errorsAt(proxy.url)).toEqual([
      expect.stringMatching(
        /^it rejects the schema of the storage with SQLSTATE 42704 \(it is CockroachDB, not PostgreSQL; LISTEN, .* may be missing\)/u,
      ),
    ]);
  });

  test('reports nothing about PostgreSQL itself, however it was packaged', async () => {
    for (const version of [
      'PostgreSQL 17.2 on x86_64',
      'PostgreSQL 15.16 (Debian 15.16-0+deb12u1) on x86_64',
      'PostgreSQL 18beta1 on arm',
    ]) {
      const [output] = await errorsAt((await context.proxied(replacedVersion(version))).url);
      expect(output).toMatch(/^It started/u);
      expect(output).not.toMatch(/not PostgreSQL/u);
    }
  });
});

describe('a change feed that stops working', () => {
  test('reports the code of the server in the log and in the health, until it works again', async () => {
    const proxy = await context.proxied({});
    const output = new CapturedOutput();
    const storage = new PostgresSessionStorage({ url: proxy.url, heartbeatIntervalMs: 100, deadlineMs: 5_000 });
    await storage.connect();
    expect(await storage.ping()).toEqual({ writable: true, notes: [] });
    proxy.interference = rewriting(/^LISTEN .*/gu, `DO $$ BEGIN RAISE insufficient_privilege; END $$`);
    await context.server.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE '%(change feed)'`,
    );
    const problem = expect.stringMatching(/^The change feed cannot listen \(42501\): PostgreSQL denies its user/u);
    await eventually(async () => (await storage.ping()).notes.some((note) => note.includes('42501')));
    expect(await storage.ping()).toEqual({ writable: true, notes: [problem] });
    expect(output.text).toMatch(/WARN.*The change feed cannot listen \(42501\)/u);
    proxy.interference = {};
    await eventually(async () => (await storage.ping()).notes.length === 0);
    expect(output.text).toMatch(/The change feed works again/u);
    await storage.close();
    output.release();
  });

  test('reports at start that no notifications arrive, delivers changes at heartbeats, and recovers', async () => {
    const proxy = await context.proxied({ losesNotifications: true });
    const storage = new PostgresSessionStorage({ url: proxy.url, heartbeatIntervalMs: 100, deadlineMs: 500 });
    await storage.connect();
    const silent = expect.stringMatching(/^PostgreSQL delivers no notifications to the change feed/u);
    expect(await storage.ping()).toEqual({ writable: true, notes: [silent] });
    const received: string[] = [];
    storage.changes(({ type }) => received.push(type));
    await created(storage, 'ada');
    await eventually(() => received.includes('session.created'));
    proxy.interference = {};
    await eventually(async () => (await storage.ping()).notes.length === 0);
    await storage.close();
  });
});
