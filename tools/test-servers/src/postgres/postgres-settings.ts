/** Lines of a `postgresql.conf`. */
export type PostgresSettings = Readonly<Record<string, string | number>>;

/** Between the fields that stand before each message of the log; no name of an application contains it. */
export const LOG_SEPARATOR = '\t';

/** A server that survives the end of its process, not of the machine, and lets in nobody from elsewhere. */
const DEFAULTS: PostgresSettings = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: 100,
  shared_buffers: '16MB',
  // What is in the folder goes with it; by default a killed server leaves it in the memory of the machine.
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

/** The text of a `postgresql.conf` with these settings over the defaults of a test. */
export function postgresConf(settings: PostgresSettings): string {
  return Object.entries({ ...DEFAULTS, ...settings })
    .map(([name, value]) => `${name} = '${String(value).replaceAll("'", "''")}'\n`)
    .join('');
}
