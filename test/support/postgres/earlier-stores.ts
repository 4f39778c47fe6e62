import { readFile } from 'node:fs/promises';
import { postgresMigrationSql } from 'nestjs-distributed-session/postgres';
import type { Client } from 'pg';

import {
  LATEST_VERSION,
  MIGRATIONS,
} from '../../../libs/distributed-session/src/storage/postgres/schema/migrations/migrations.js';
import { migrationStatements } from '../../../libs/distributed-session/src/storage/postgres/schema/migration-sql.js';
import { SchemaNames } from '../../../libs/distributed-session/src/storage/postgres/schema/schema-names.js';
import { SERVICE } from '../storage/service-calls.js';
import { RETENTION_MS } from '../storage/storage-calls.js';

const names = new SchemaNames('public', 'distributed_');
export const SESSION_ID = '00000000-0000-4000-8000-000000000001';
export const ENDED_ID = '00000000-0000-4000-8000-000000000002';

/** A store as a process may find it at start. */
export interface EarlierStore {
  /** The version in its ledger. */
  readonly version: number;
  /** How `migrate: 'check'` rejects it; `undefined` for a store that is up to date. */
  readonly rejectedAs?: string;
  readonly create: (client: Client) => Promise<void>;
}

/** Every store that a start must bring up to date, with something in it. */
export const EARLIER_STORES: Readonly<Record<string, EarlierStore>> = {
  'an empty database': {
    version: 0,
    rejectedAs: `its schema has version 0, and version ${LATEST_VERSION} is required`,
    create: async () => undefined,
  },
  'an unreleased store at version 1': {
    version: 1,
    rejectedAs: `its schema has version 1, and version ${LATEST_VERSION} is required`,
    create: async (client) => {
      await client.query(await unreleased('0001'));
      await writeSessions(client);
    },
  },
  'an unreleased store at version 2': {
    version: 2,
    rejectedAs: `its schema has version 2, and version ${LATEST_VERSION} is required`,
    create: async (client) => {
      for (const version of ['0001', '0002']) await client.query(await unreleased(version));
      await writeSessions(client);
      await writeService(client);
    },
  },
  'a store without token digests': {
    version: 2,
    rejectedAs: `its schema has version 2, and version ${LATEST_VERSION} is required`,
    create: async (client) => {
      await migrateTo(client, 2, ['create_session', 'replace_session', 'rotate_session']);
      await writeSessions(client);
      await writeService(client);
    },
  },
  'a store without rows to lock': {
    version: 4,
    rejectedAs: `its schema has version 4, and version ${LATEST_VERSION} is required`,
    create: async (client) => {
      await migrateTo(client, 4, []);
      await writeSessions(client);
      await writeService(client);
    },
  },
  'a store with other functions': {
    version: LATEST_VERSION,
    rejectedAs:
      'its functions differ from those of this release (gone, is_online, purge_tombstones, read_login_exactly, settle_login)',
    create: async (client) => {
      await client.query(postgresMigrationSql());
      await writeSessions(client);
      await writeService(client);
      await changeFunctions(client);
    },
  },
  'a store that is up to date': {
    version: LATEST_VERSION,
    create: async (client) => {
      await client.query(postgresMigrationSql());
      await writeSessions(client);
      await writeService(client);
    },
  },
};

async function unreleased(version: string): Promise<string> {
  return readFile(new URL(`../../postgres/unreleased-store/${version}.sql`, import.meta.url), 'utf8');
}

/** A live session and a tombstone. */
async function writeSessions(client: Client): Promise<void> {
  await client.query(
    `INSERT INTO distributed_session (
       session_id, login_id, service_id, device, version, created_at, last_accessed_at, idle_timeout_ms, expires_at,
       sweep_at, payload, ended_at, reason, ended_by)
     SELECT id, 'alice', 'tests', 'phone', 1, now.ms, now.ms, 3600000, now.ms + 3600000, now.ms + $3,
       CASE WHEN reason IS NULL THEN 'of an earlier release'::bytea END,
       CASE WHEN reason IS NOT NULL THEN now.ms END, reason, CASE WHEN reason IS NOT NULL THEN 'tests' END
     FROM (VALUES ($1::uuid, NULL), ($2::uuid, 'logged-out')) AS session (id, reason),
       (SELECT distributed_now_ms()) AS now (ms)`,
    [SESSION_ID, ENDED_ID, RETENTION_MS],
  );
  await client.query(
    `UPDATE distributed_session_count SET sessions = 1, logins = 1 WHERE shard = distributed_count_shard('alice')`,
  );
}

async function writeService(client: Client): Promise<void> {
  const { serviceId, serviceName, permissions, secret } = SERVICE;
  await client.query(`INSERT INTO distributed_service VALUES ($1, $2, $3, 1, distributed_now_ms())`, [
    serviceId,
    serviceName,
    JSON.stringify(permissions),
  ]);
  await client.query(
    `INSERT INTO distributed_service_secret (key_id, service_id, hash, created_at)
     VALUES ($1, $2, $3, distributed_now_ms())`,
    [secret.keyId, serviceId, JSON.stringify(secret.hash)],
  );
}

/** Omits the later migrations. These functions had another signature. */
async function migrateTo(client: Client, version: number, changed: readonly string[]): Promise<void> {
  const later = MIGRATIONS.slice(version).flatMap((migration) => migration.statements.map((text) => names.sql(text)));
  // The columns that the ledgers have since version 6.
  const isEarlier = (statement: string) =>
    !later.includes(statement) && !/schema_version|oldest_schema/u.test(statement);
  const statements = [
    ...migrationStatements(names, 0).filter(isEarlier),
    `DELETE FROM distributed_session_migration WHERE version > ${version}`,
    `UPDATE distributed_session_function SET digest = 'other', signature = 'other'
     WHERE name = ANY ('{${changed.join(',')}}')`,
  ];
  for (const statement of statements) await client.query(statement);
}

/** As another release may have them: with another text, another signature or another name, and one more. */
async function changeFunctions(client: Client): Promise<void> {
  const statements = [
    `CREATE OR REPLACE FUNCTION distributed_is_online(p_login_id text) RETURNS boolean LANGUAGE plpgsql AS $$
     BEGIN RAISE 'The function of another release was called'; END $$`,
    'DROP FUNCTION distributed_purge_tombstones',
    `CREATE FUNCTION distributed_purge_tombstones(p_most integer, p_more text) RETURNS text LANGUAGE sql AS $$ SELECT '' $$`,
    `CREATE FUNCTION distributed_gone() RETURNS text LANGUAGE sql AS $$ SELECT '' $$`,
    'ALTER FUNCTION distributed_read_login_exactly RENAME TO distributed_settle_login',
    `UPDATE distributed_session_function SET digest = 'other' WHERE name = 'is_online'`,
    `UPDATE distributed_session_function SET name = 'settle_login' WHERE name = 'read_login_exactly'`,
    `UPDATE distributed_session_function SET digest = 'other', signature = 'other' WHERE name = 'purge_tombstones'`,
    `INSERT INTO distributed_session_function (name, signature, digest) VALUES ('gone', '()', 'other')`,
    `UPDATE distributed_session_function SET applied_at = '2000-01-01'`,
    // No release that works on the schema calls them.
    'UPDATE distributed_session_function SET schema_version = 0',
    'GRANT EXECUTE ON FUNCTION distributed_is_online TO pg_monitor',
  ];
  for (const statement of statements) await client.query(statement);
}
