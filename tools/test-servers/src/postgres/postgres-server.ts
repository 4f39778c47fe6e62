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
  /** Over the defaults: committed rows survive the end of the server, not of the machine. */
  readonly settings?: PostgresSettings;
  /** Default: a free one. */
  readonly port?: number;
  /** Lines of a `pg_hba.conf`; they stand before those that let in every user with a password. */
  readonly hba?: string;
  /** Whether it also speaks TLS, with a `certificate` that nobody vouches for. Default: false. */
  readonly ssl?: boolean;
  /** Puts a cluster under `data` in the folder. Default: one that has nothing in it yet. */
  readonly fill?: (folder: string) => Promise<void>;
}

/** A real PostgreSQL of its own on the loopback interface. */
export class PostgresServer {
  readonly host = '127.0.0.1';
  /** Of the superuser `postgres`. */
  readonly password = PASSWORD;
  #process: PostgresProcess;
  #databases = 0;

  private constructor(
    readonly port: number,
    /** Removed by `stop()`. */
    readonly folder: string,
    private readonly settings: PostgresSettings,
    /** What a client must trust, with `ssl`; otherwise empty. */
    readonly certificate: string,
  ) {
    this.#process = this.#spawn();
  }

  /** Resolves once it lets clients in. */
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

  /** Of its superuser and its database `postgres`. */
  get url(): string {
    return this.#urlOf('postgres');
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** Whether it runs and is not frozen. */
  get isAlive(): boolean {
    return this.#process.isRunning && !this.#process.isFrozen;
  }

  /** Ends it and removes its folder. */
  async stop(): Promise<void> {
    await this.#process.end('SIGQUIT');
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Ends it with all its processes by `SIGKILL`; its port and its folder stay for `restart()`. */
  kill(): Promise<void> {
    return this.#process.kill();
  }

  /** Stops it with all its processes by `SIGSTOP`: its connections stay open, and nobody is answered. */
  freeze(): void {
    this.#process.freeze();
  }

  /** Lets a frozen one go on. */
  resume(): void {
    this.#process.resume();
  }

  /** Starts it again on its port and in its folder; one that still runs is ended in good order before. */
  async restart(): Promise<void> {
    await this.#process.end('SIGINT');
    this.#process = this.#spawn();
    await this.#letsIn();
  }

  /** The rows of one statement over a connection of its own, as the superuser. */
  query<Row extends object = Record<string, unknown>>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
    return this.use(async (client) => (await client.query<Row>(text, [...values])).rows);
  }

  /** What the work resolves to, over a connection of its own as the superuser. */
  use<T>(work: (client: Client) => Promise<T>, database = 'postgres'): Promise<T> {
    return withPostgres(this.#urlOf(database), work);
  }

  /** Resolves to the URL of a new database, for its superuser. */
  async createDatabase(name?: string): Promise<string> {
    const database = name ?? `database_${(this.#databases += 1)}`;
    await this.query(`CREATE DATABASE ${escapeIdentifier(database)}`);
    return this.#urlOf(database);
  }

  /** Every row of all tables of one database or of all, as text in which whatever is stored as ASCII is found. */
  async dump(database?: string): Promise<string> {
    const rows = await this.query<{ datname: string }>('SELECT datname FROM pg_database WHERE datallowconn ORDER BY 1');
    const names = database === undefined ? rows.map(({ datname }) => datname) : [database];
    const dumps = await Promise.all(names.map((name) => this.use(dumpRows, name)));
    return dumps.filter((dump) => dump !== '').join('\n');
  }

  /**
   * What the user or the application of this name has sent until now, in its order; the setting `log_statement: 'all'`
   * is for the test to make.
   */
  async statementsOf(name: string): Promise<LoggedStatement[]> {
    if (this.settings['log_statement'] !== 'all') throw new Error("Statements are logged with log_statement: 'all'.");
    const statements = readStatements(await this.readLog());
    return statements.filter(({ user, applicationName }) => user === name || applicationName === name);
  }

  /** All that it has logged. */
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
