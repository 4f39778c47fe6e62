import { Client } from 'pg';
import type { StoreLocation } from '../session-storage.js';
import { serverName } from '../shared/server-name.js';
import { poolSettings } from './connection/open-pool.js';
import type { ResolvedPostgresOptions } from './postgres-session-storage.options.js';

/** Returns where these options keep the sessions, without asking the server. */
export function postgresLocation(options: ResolvedPostgresOptions): StoreLocation {
  const part = `schema "${options.schema}" and tablePrefix "${options.tablePrefix}"`;
  const settings = options.pool ? options.pool.options : poolSettings(options);
  // A pool without settings connects to no server, such as one that runs PostgreSQL in the process.
  if (settings === undefined) return { server: options.pool!, part };
  const { host, port, database } = new Client(settings);
  return { server: `${serverName(host, port)}/${database}`, part };
}
