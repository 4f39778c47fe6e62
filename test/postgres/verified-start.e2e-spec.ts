import { describe, expect, test } from '@jest/globals';
import { PostgresSessionStorage } from 'nestjs-distributed-session/postgres';
import type { PostgresInterference } from '@distributed-session/test-servers/proxy/postgres-proxy.js';
import { errorsAt, rewriting, usePostgresInterference } from '../support/postgres/interfered-server.js';
import { loggedErrors } from '../support/postgres/logged-errors.js';

const context = usePostgresInterference();
const changing = (change: (cell: string) => string): PostgresInterference => ({ change });

describe('PostgresSessionStorage.connect() is refused, in one sentence with the way out, by', () => {
  const engines: [string, PostgresInterference, RegExp][] = [
    [
      'an engine that ignores row locks',
      rewriting(/FOR UPDATE( SKIP LOCKED)?/gu, ''),
      /^it gives the lock of one row to two connections \(FOR UPDATE SKIP LOCKED\): .*Use a server with row locks$/u,
    ],
    [
      'an engine that ignores waiting for row locks only',
      rewriting(/FOR UPDATE(?! SKIP LOCKED)/gu, ''),
      /^a connection that waits for the row lock of another one must be cancelled at its statement_timeout \(57014\), but got the lock: /u,
    ],
    [
      'an engine without timeouts of statements',
      rewriting(`'25'::pg_catalog.text, true)`, `'0'::pg_catalog.text, true)`),
      /^a connection that waits .* but still waited after 1500 ms: use a server with row locks and statement_timeout$/u,
    ],
    [
      'a clock that stands still',
      rewriting('clock_timestamp()', `'2025-01-01'::timestamptz`),
      /^its clock stands still/u,
    ],
    [
      'a clock that stands still in a transaction',
      rewriting('clock_timestamp()', 'transaction_timestamp()'),
      /^its clock stands still/u,
    ],
    [
      'a clock that stands still in a statement',
      rewriting('clock_timestamp()', 'statement_timestamp()'),
      /^its clock stands still while a statement waits/u,
    ],
    [
      'a clock that runs backwards',
      rewriting('extract(epoch FROM clock_timestamp())', '(4000000000 - extract(epoch FROM clock_timestamp()))'),
      /^its clock runs backwards: clock_timestamp\(\) returned \d+, then \d+/u,
    ],
    [
      'an engine that applies two writes at one version',
      rewriting('stored.version <> p_expected_version', 'false'),
      /^it applies two writes that expect the same version \(the first was replaced, the second replaced\)/u,
    ],
    [
      'an engine that does not undo a block',
      rewriting(/RAISE SQLSTATE 'DS001';/gu, ''),
      /^it does not undo what a rolled-back block has written/u,
    ],
    [
      'an engine that stores bytes as text',
      rewriting('payload = p_payload', `payload = convert_to(encode(p_payload, 'escape'), 'UTF8')`),
      /^it changes bytes \(\d+ bytes became \d+, and at position 0, 00010203 became 5c303030\): connect past the proxy/u,
    ],
    [
      'an engine that normalises texts',
      rewriting(/p_token_digest,\s+p_payload\)/gu, 'normalize(p_token_digest), p_payload)'),
      /^it changes texts/u,
    ],
    [
      'an engine whose whole numbers are floating-point numbers',
      rewriting(/v_now, p_idle_ms,/gu, 'v_now, (p_idle_ms::real)::bigint,'),
      /^it changes numbers \(4503599627370497 became \d+\)/u,
    ],
    [
      'a proxy that cuts long values',
      changing((cell) => cell.slice(0, 16_000)),
      /^it changes bytes \(\d+ bytes became \d+, and at position \d+, \w+ became nothing\)/u,
    ],
    [
      'a proxy that changes numbers',
      changing((cell) => (/^\d{13,}$/u.test(cell) ? String(Math.fround(Number(cell))) : cell)),
      /^it changes numbers \(4503599627370497 became \d+\)/u,
    ],
    [
      'a server without LISTEN',
      rewriting(/^LISTEN .*/gu, `DO $$ BEGIN RAISE feature_not_supported; END $$`),
      /^its change feed does not work: The change feed cannot listen \(0A000\): PostgreSQL rejects LISTEN\./u,
    ],
    [
      'a user who may not listen',
      rewriting(/^LISTEN .*/gu, `DO $$ BEGIN RAISE insufficient_privilege; END $$`),
      /^its change feed does not work: The change feed cannot listen \(42501\): PostgreSQL denies its user this privilege/u,
    ],
  ];

  test.each(engines)('%s', async (_name, interference, sentence) => {
    const proxy = await context.proxied(interference);
    expect(await errorsAt(proxy.url)).toEqual([expect.stringMatching(sentence)]);
  });
});

describe('PostgresSessionStorage.connect()', () => {
  test('leaves nothing, and no error in the log of the server, also when ten processes start at once', async () => {
    const url = await context.server.createDatabase();
    const options = { url, deadlineMs: 5_000, options: { max: 2 } };
    expect((await errorsAt(url))[0]).toMatch(/^It started/u);
    const logged = (await context.server.readLog()).length;
    const storages = Array.from({ length: 10 }, () => new PostgresSessionStorage(options));
    await Promise.all(storages.map(async (storage) => storage.connect()));
    const rows = await context.server.use(
      async (client) => (await client.query('SELECT FROM distributed_session')).rows,
      new URL(url).pathname.slice(1),
    );
    expect(rows).toEqual([]);
    expect(await storages[0]!.count()).toEqual({ sessions: 0, logins: 0 });
    expect(loggedErrors((await context.server.readLog()).slice(logged))).toEqual([]);
    await Promise.all(storages.map(async (storage) => storage.close()));
  });
});
