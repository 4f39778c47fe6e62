import { chown, rm, stat, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { eventually } from '../eventually.js';
import { freePort } from '../free-port.js';
import { makeFolder } from '../postgres/cluster-folder.js';
import { withPostgres } from '../postgres/postgres-connection.js';
import type { PostgresServer } from '../postgres/postgres-server.js';
import { pgbouncerProgram } from './install-pgbouncer.js';
import { PgbouncerProcess } from './pgbouncer-process.js';

export interface PgbouncerOptions {
  /** Settings of its `pgbouncer.ini`, such as `pool_mode`. Default: PgBouncer's defaults, which pool sessions. */
  readonly settings?: Readonly<Record<string, string | number>>;
  /** The passwords of the server's users, besides the superuser's. */
  readonly users?: Readonly<Record<string, string>>;
}

/** A real PgBouncer on the loopback interface, in front of every database of a PostgreSQL server. */
export class Pgbouncer {
  readonly host = '127.0.0.1';
  #process: PgbouncerProcess;

  private constructor(
    readonly port: number,
    private readonly server: PostgresServer,
    private readonly folder: string,
  ) {
    this.#process = new PgbouncerProcess(pgbouncerProgram(), folder);
  }

  /** Resolves once it accepts clients. */
  static async start(server: PostgresServer, options: PgbouncerOptions = {}): Promise<Pgbouncer> {
    const folder = await makeFolder();
    const port = await freePort();
    await writeFiles(folder, server, { port, ...options });
    const pooler = new Pgbouncer(port, server, folder);
    try {
      await pooler.#letsIn();
      return pooler;
    } catch (error) {
      await pooler.stop();
      throw error;
    }
  }

  /** A URL of the server, such as of one of its databases, with this address. */
  urlOf(url: string): string {
    const changed = new URL(url);
    changed.host = `${this.host}:${this.port}`;
    return changed.href;
  }

  /** Returns the rows of a command of its console, such as `PAUSE` or `SHOW POOLS`. */
  async command(text: string): Promise<Record<string, unknown>[]> {
    const url = new URL(this.urlOf(this.server.url));
    url.pathname = '/pgbouncer';
    return withPostgres(url.href, async (client) => (await client.query<Record<string, unknown>>(text)).rows ?? []);
  }

  /** Ends it, and starts it again on the same port. */
  async restart(): Promise<void> {
    await this.end();
    this.#process = new PgbouncerProcess(pgbouncerProgram(), this.folder);
    await this.#letsIn();
  }

  /** Ends it at once, with all its connections; `restart()` uses the same port. */
  end(): Promise<void> {
    return this.#process.end();
  }

  /** Ends it and removes its folder. */
  async stop(): Promise<void> {
    await this.end();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Its whole log. */
  readLog(): Promise<string> {
    return this.#process.log();
  }

  #letsIn(): Promise<void> {
    return eventually(async () => {
      if (!this.#process.isRunning) throw new Error(`pgbouncer ended:\n${(await this.readLog()).slice(-2_000)}`);
      return isListening(this.port);
    });
  }
}

async function writeFiles(
  folder: string,
  server: PostgresServer,
  { port, settings, users }: PgbouncerOptions & { port: number },
): Promise<void> {
  const passwords = { postgres: server.password, ...users };
  const all = {
    listen_addr: '127.0.0.1',
    listen_port: port,
    unix_socket_dir: '',
    auth_file: 'users.txt',
    admin_users: 'postgres',
    ...settings,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name} = ${value}\n`);
  const database = `* = host=${server.host} port=${server.port}`;
  await writeFile(join(folder, 'pgbouncer.ini'), `[databases]\n${database}\n[pgbouncer]\n${lines.join('')}`);
  const entries = Object.entries(passwords).map(([name, password]) => `"${name}" "${password}"\n`);
  await writeFile(join(folder, 'users.txt'), entries.join(''));
  const { uid, gid } = await stat(folder);
  await Promise.all(['pgbouncer.ini', 'users.txt'].map((name) => chown(join(folder, name), uid, gid)));
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
