/** Lines of a `postgresql.conf`. */
export type PostgresSettings = Readonly<Record<string, string | number>>;

/** Separates the fields before each log message; no application name contains it. */
export const LOG_SEPARATOR = '\t';

/** Data survives a crash of the server, but not of the machine; access from loopback only. */
const DEFAULTS: PostgresSettings = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: 100,
  shared_buffers: '16MB',
  // In the folder, which is removed; by default, a killed server leaves its shared memory behind.
  dynamic_shared_memory_type: 'mmap',
  fsync: 'off',
  full_page_writes: 'off',
  synchronous_commit: 'on',
  wal_level: 'replica',
  max_wal_size: '128MB',
  jit: 'off',
  password_encryption: 'scram-sha-256',
  lc_messages: 'C',
  timezone: 'UTC',
  log_timezone: 'UTC',
  logging_collector: 'off',
  log_destination: 'stderr',
  log_line_prefix: ['%m', '%p', '%u', '%d', '%a', ''].join(LOG_SEPARATOR),
};

/** The text of a `postgresql.conf`: these settings override the tests' defaults. */
export function postgresConf(settings: PostgresSettings): string {
  return Object.entries({ ...DEFAULTS, ...settings })
    .map(([name, value]) => `${name} = '${String(value).replaceAll("'", "''")}'\n`)
    .join('');
}
