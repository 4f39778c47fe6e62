import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { eventually } from '../eventually.js';
import { freePort } from '../free-port.js';
import { runProgram } from './cluster-folder.js';
import { PostgresServer, type PostgresServerOptions } from './postgres-server.js';

export interface PostgresStandbyOptions {
  /** Whether the primary acknowledges a commit only after this standby has it, even while the standby is down. Default: false. */
  readonly isSynchronous?: boolean;
  readonly settings?: PostgresServerOptions['settings'];
}

/** A hot standby that follows a server by streaming replication until it is promoted. */
export class PostgresStandby {
  private constructor(
    private readonly primary: PostgresServer,
    /** The standby server; read-only, and stopped separately. */
    readonly server: PostgresServer,
  ) {}

  /** Resolves once it accepts clients and streams. */
  static async start(primary: PostgresServer, options: PostgresStandbyOptions = {}): Promise<PostgresStandby> {
    const port = await freePort();
    const name = `standby_${port}`;
    const server = await PostgresServer.start({
      port,
      settings: { ...options.settings, primary_conninfo: `${primary.url}?application_name=${name}` },
      fill: (folder) => copyPrimary(primary, folder),
    });
    try {
      if (options.isSynchronous) await waitForItAtCommits(primary, name);
      const state = options.isSynchronous ? 'sync' : 'async';
      await eventually(async () => (await stateOf(primary, name)) === `streaming ${state}`);
    } catch (error) {
      await server.stop();
      throw error;
    }
    return new PostgresStandby(primary, server);
  }

  /** Resolves once it has replayed everything that the primary has flushed. */
  async waitForReplay(): Promise<void> {
    // Flushed, because commits with `synchronous_commit = off` reach the disk shortly after.
    const [now] = await this.primary.query<{ lsn: string }>('SELECT pg_current_wal_flush_lsn() AS lsn');
    const text = 'SELECT pg_last_wal_replay_lsn() >= $1::pg_lsn AS "isThere"';
    await eventually(async () => {
      const [row] = await this.server.query<{ isThere: boolean }>(text, [now?.lsn]);
      return row?.isThere === true;
    });
  }

  /** Promotes it, whether or not the old primary still runs; resolves once it accepts writes. */
  async promote(): Promise<void> {
    await this.server.query('SELECT pg_promote(wait => false)');
    await eventually(async () => {
      const [row] = await this.server.query<{ isStandby: boolean }>('SELECT pg_is_in_recovery() AS "isStandby"');
      return row?.isStandby === false;
    });
  }
}

async function copyPrimary(primary: PostgresServer, folder: string): Promise<void> {
  const data = join(folder, 'data');
  await runProgram(folder, 'pg_basebackup', ['-D', data, '-d', primary.url, '-c', 'fast', '--no-sync']);
  await writeFile(join(data, 'standby.signal'), '');
  // The promoted server must not wait for the standby that the old primary waited for.
  await rm(join(data, 'postgresql.auto.conf'));
}

async function waitForItAtCommits(primary: PostgresServer, name: string): Promise<void> {
  await primary.query(`ALTER SYSTEM SET synchronous_standby_names = '${name}'`);
  await primary.query('SELECT pg_reload_conf()');
}

async function stateOf(primary: PostgresServer, name: string): Promise<string> {
  const text = 'SELECT state, sync_state FROM pg_stat_replication WHERE application_name = $1';
  const [row] = await primary.query<{ state: string; sync_state: string }>(text, [name]);
  return `${row?.state} ${row?.sync_state}`;
}
