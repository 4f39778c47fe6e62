import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Client, escapeIdentifier } from 'pg';
import { eventually } from '../eventually.js';
import { freePort } from '../free-port.js';
import { addAccess, copyTemplate, makeFolder, makeTls, writeSettings } from './cluster-folder.js';
import { withPostgres } from './postgres-connection.js';
import { PostgresProcess } from './postgres-process.js';
import { dumpRows } from './postgres-rows.js';
import type { PostgresSettings } from './postgres-settings.js';
import { type LoggedStatement, readStatements } from './statement-log.js';
import { findTemplate, PASSWORD } from './template-cluster.js';

export interface PostgresServerOptions {
  /** Override the defaults, with which committed rows survive a server crash, but not a crash of the machine. */
  readonly settings?: PostgresSettings;
  /** Default: a free port. */
  readonly port?: number;
  /** Lines of a `pg_hba.conf`, before the lines that admit every user with a password. */
  readonly hba?: string;
  /** Whether it also supports TLS, with a self-signed `certificate`. Default: false. */
  readonly ssl?: boolean;
  /** Creates a cluster in `data` in the folder. Default: an empty cluster. */
  readonly fill?: (folder: string) => Promise<void>;
}

/** A real PostgreSQL server on the loopback interface. */
export class PostgresServer {
  readonly host = '127.0.0.1';
  /** The password of the superuser `postgres`. */
  readonly password = PASSWORD;
  #process: PostgresProcess;
  #databases = 0;

  private constructor(
    readonly port: number,
    /** Removed by `stop()`. */
    readonly folder: string,
    private readonly settings: PostgresSettings,
    /** The certificate that a client must trust, with `ssl`; otherwise empty. */
    readonly certificate: string,
  ) {
    this.#process = this.#spawn();
  }

  /** Resolves once it accepts clients. */
  static async start(options: PostgresServerOptions = {}): Promise<PostgresServer> {
    const folder = await makeFolder();
    try {
      const server = await PostgresServer.#startIn(folder, options);
      await server.#letsIn();
      return server;
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
  }

  static async #startIn(folder: string, options: PostgresServerOptions): Promise<PostgresServer> {
    const { port = await freePort(), hba, ssl = false, fill = copyTemplate } = options;
    await fill(folder);
    if (hba !== undefined) await addAccess(folder, hba);
    const tls = ssl ? await makeTls(folder) : { certificate: '', settings: {} };
    const settings = { port, ...tls.settings, ...options.settings };
    await writeSettings(folder, settings);
    return new PostgresServer(port, folder, settings, tls.certificate);
  }

  /** The URL of the database `postgres` for the superuser. */
  get url(): string {
    return this.#urlOf('postgres');
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** Whether the process runs and is not frozen. */
  get isAlive(): boolean {
    return this.#process.isRunning && !this.#process.isFrozen;
  }

  /** Ends the server and removes its folder. */
  async stop(): Promise<void> {
    await this.#process.end('SIGQUIT');
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Kills all its processes with `SIGKILL`; `restart()` uses the same port and folder. */
  kill(): Promise<void> {
    return this.#process.kill();
  }

  /** Freezes all its processes with `SIGSTOP`: its connections stay open, and it does not respond. */
  freeze(): void {
    this.#process.freeze();
  }

  /** Resumes a frozen server. */
  resume(): void {
    this.#process.resume();
  }

  /** Restarts it on the same port and folder; a running server is shut down first. */
  async restart(): Promise<void> {
    await this.#process.end('SIGINT');
    this.#process = this.#spawn();
    await this.#letsIn();
  }

  /** Returns the rows of one statement on a separate connection, as the superuser. */
  query<Row extends object = Record<string, unknown>>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
    return this.use(async (client) => (await client.query<Row>(text, [...values])).rows);
  }

  /** Runs the work on a separate connection as the superuser, and returns its result. */
  use<T>(work: (client: Client) => Promise<T>, database = 'postgres'): Promise<T> {
    return withPostgres(this.#urlOf(database), work);
  }

  /** Creates a database and returns its URL for the superuser. */
  async createDatabase(name?: string): Promise<string> {
    const database = name ?? `database_${(this.#databases += 1)}`;
    await this.query(`CREATE DATABASE ${escapeIdentifier(database)}`);
    return this.#urlOf(database);
  }

  /** Every row of all tables of one or all databases, as text that contains everything stored as ASCII. */
  async dump(database?: string): Promise<string> {
    const rows = await this.query<{ datname: string }>('SELECT datname FROM pg_database WHERE datallowconn ORDER BY 1');
    const names = database === undefined ? rows.map(({ datname }) => datname) : [database];
    const dumps = await Promise.all(names.map((name) => this.use(dumpRows, name)));
    return dumps.filter((dump) => dump !== '').join('\n');
  }

  /**
   * The statements that a user or application has sent so far, in order. Requires the setting `log_statement: 'all'`.
   */
  async statementsOf(name: string): Promise<LoggedStatement[]> {
    if (this.settings['log_statement'] !== 'all')
      throw new Error("Start the server with log_statement: 'all' to read its statements.");
    const statements = readStatements(await this.readLog());
    return statements.filter(({ user, applicationName }) => user === name || applicationName === name);
  }

  /** Its whole log. */
  readLog(): Promise<string> {
    return this.#process.log();
  }

  #urlOf(database: string): string {
    return `postgresql://postgres:${this.password}@${this.host}:${this.port}/${encodeURIComponent(database)}`;
  }

  #spawn(): PostgresProcess {
    return new PostgresProcess(join(findTemplate().programs, 'postgres'), this.folder);
  }

  async #letsIn(): Promise<void> {
    try {
      await eventually(async () => {
        if (!this.#process.isRunning) throw new Error(`postgres ended:\n${(await this.readLog()).slice(-2_000)}`);
        return this.#process.isReady;
      });
    } catch (error) {
      await this.#process.end('SIGQUIT');
      throw error;
    }
  }
}
