import type { PostgresServer } from '@distributed-session/test-servers/postgres/postgres-server.js';

/**
 * Settings that an administrator may have changed for a role or a database, each to the value that differs most from what
 * the storage would expect: they change how texts, bytes, numbers, times, errors and statements reach it.
 */
export const HOSTILE_SETTINGS: Readonly<Record<string, string>> = {
  array_nulls: 'off',
  backslash_quote: 'off',
  bytea_output: 'escape',
  check_function_bodies: 'off',
  client_encoding: 'LATIN1',
  client_min_messages: 'error',
  cursor_tuple_fraction: '0',
  DateStyle: 'SQL, DMY',
  default_statistics_target: '1',
  default_text_search_config: 'pg_catalog.simple',
  default_transaction_deferrable: 'on',
  default_transaction_isolation: 'serializable',
  enable_indexscan: 'off',
  enable_hashagg: 'off',
  escape_string_warning: 'on',
  exit_on_error: 'on',
  extra_float_digits: '-15',
  idle_in_transaction_session_timeout: '100',
  idle_session_timeout: '200',
  IntervalStyle: 'sql_standard',
  jit_above_cost: '0',
  lc_messages: 'C',
  lc_monetary: 'C.utf8',
  lc_numeric: 'C.utf8',
  lc_time: 'C.utf8',
  lock_timeout: '1',
  plan_cache_mode: 'force_generic_plan',
  'plpgsql.extra_errors': 'shadowed_variables',
  'plpgsql.extra_warnings': 'all',
  'plpgsql.variable_conflict': 'use_variable',
  quote_all_identifiers: 'on',
  row_security: 'off',
  search_path: 'nowhere',
  session_replication_role: 'replica',
  standard_conforming_strings: 'off',
  statement_timeout: '250',
  synchronize_seqscans: 'off',
  synchronous_commit: 'off',
  TimeZone: 'Asia/Kathmandu',
  transform_null_equals: 'on',
  work_mem: '64kB',
  xmlbinary: 'hex',
  xmloption: 'document',
};

/** The role of these settings. */
export const HOSTILE_ROLE = 'hostile';
const PASSWORD = 'of-the-hostile-role';

/** Creates the role, which owns its database, and returns the database's URL for it. */
export async function createHostileRole(server: PostgresServer): Promise<string> {
  await server.query(`CREATE ROLE ${HOSTILE_ROLE} LOGIN PASSWORD '${PASSWORD}'`);
  const [version] = await server.query<{ number: number }>(
    `SELECT current_setting('server_version_num')::integer AS number`,
  );
  // Its upper case of i is another letter than I.
  const locale = version!.number >= 150_000 ? `LOCALE_PROVIDER icu ICU_LOCALE 'tr-TR'` : '';
  await server.query(
    `CREATE DATABASE ${HOSTILE_ROLE} OWNER ${HOSTILE_ROLE} TEMPLATE template0 ENCODING 'UTF8' ${locale}`,
  );
  const url = new URL(server.url);
  [url.username, url.password, url.pathname] = [HOSTILE_ROLE, PASSWORD, `/${HOSTILE_ROLE}`];
  return url.href;
}

/** Gives the role these settings, and no others, for connections that are opened from now on. */
export async function changeSettings(
  server: PostgresServer,
  settings: Readonly<Record<string, string>>,
  of = `ROLE ${HOSTILE_ROLE}`,
): Promise<void> {
  await server.query(`ALTER ${of} RESET ALL`);
  for (const [name, value] of Object.entries(settings)) await server.query(`ALTER ${of} SET ${name} = '${value}'`);
}

/** The password of the role, for poolers. */
export const HOSTILE_USERS = { [HOSTILE_ROLE]: PASSWORD };
