import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import { eventually } from '../eventually.js';
import { freePort } from '../free-port.js';
import { type RedisCredentials, withRedis } from './redis-connection.js';
import { type DescribedKey, describeKeys, dumpKeys } from './redis-keys.js';
import { RedisProcess } from './redis-process.js';
import { type RedisSettings, redisConf } from './redis-settings.js';

export interface RedisServerOptions {
  /** Override the defaults, which disable persistence. */
  readonly settings?: RedisSettings;
  /** Default: a free port. */
  readonly port?: number;
  /** Folder of its files; created if missing, removed by `stop()`. Default: a temporary folder. */
  readonly folder?: string;
  /** For the test's calls, if the settings require a password. */
  readonly credentials?: RedisCredentials;
  /** Whether `start()` waits until the data is loaded from disk. Default: true. */
  readonly untilLoaded?: boolean;
  /** Starts a Sentinel instead. */
  readonly isSentinel?: boolean;
}

/** A real `redis-server` process on the loopback interface. */
export class RedisServer {
  readonly host = '127.0.0.1';
  #process: RedisProcess;

  private constructor(
    readonly port: number,
    readonly folder: string,
    private readonly options: RedisServerOptions,
  ) {
    this.#process = this.#spawn();
  }

  /** Resolves once the server responds. */
  static async start(options: RedisServerOptions = {}): Promise<RedisServer> {
    const port = options.port ?? (await freePort());
    const folder = options.folder ?? (await mkdtemp(join(tmpdir(), 'redis-')));
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'redis.conf'), redisConf({ port, ...options.settings }));
    const server = new RedisServer(port, folder, options);
    try {
      await server.#answers(options.untilLoaded ?? true);
    } catch (error) {
      await server.stop();
      throw error;
    }
    return server;
  }

  get url(): string {
    return `redis://${this.host}:${this.port}`;
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
    await this.#process.end('SIGKILL');
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Kills it with `SIGKILL`; `restart()` uses the same port and folder. */
  kill(): Promise<void> {
    return this.#process.end('SIGKILL');
  }

  /** Freezes it with `SIGSTOP`: its connections stay open, and it does not respond. */
  freeze(): void {
    this.#process.freeze();
  }

  /** Resumes a frozen server. */
  resume(): void {
    this.#process.resume();
  }

  /** Restarts it on the same port and folder; a running server is shut down first. */
  async restart({ untilLoaded = true }: Pick<RedisServerOptions, 'untilLoaded'> = {}): Promise<void> {
    await this.#process.end('SIGTERM');
    this.#process = this.#spawn();
    await this.#answers(untilLoaded);
  }

  /** Returns the reply to one command on a separate connection. */
  call(command: string, ...args: readonly (string | number | Buffer)[]): Promise<unknown> {
    return this.use((redis) => redis.call(command, [...args]));
  }

  /** Runs the work on a separate connection that never retries, and returns its result. */
  use<T>(work: (redis: Redis) => Promise<T>): Promise<T> {
    return withRedis(this.port, this.options.credentials, work);
  }

  /**
   * Resolves once this many replicas have everything that this server has now. `WAIT` covers the writes before it on the
   * same connection; on a connection that has sent nothing, it waits for nothing.
   */
  async waitForReplicas(count: number): Promise<void> {
    const reached = await this.use(async (redis) => {
      await redis.ping();
      return redis.wait(count, 4_000);
    });
    if (reached < count)
      throw new Error(`Only ${reached} of ${count} replicas have what the server on ${this.port} has.`);
  }

  /** Number of calls per command since the start or `resetStatistics()`, by name, such as `config|resetstat`. */
  async commandCounts(): Promise<Record<string, number>> {
    const text = String(await this.call('INFO', 'commandstats'));
    const counts = [...text.matchAll(/^cmdstat_(\S+?):calls=(\d+)/gmu)];
    return Object.fromEntries(counts.map(([, name, calls]) => [name, Number(calls)]));
  }

  async resetStatistics(): Promise<void> {
    await this.call('CONFIG', 'RESETSTAT');
  }

  /** A field of a section of `INFO`; empty if there is none. */
  async info(section: string, field: string): Promise<string> {
    const text = String(await this.call('INFO', section));
    return new RegExp(`^${field}:(.*?)\\r?$`, 'mu').exec(text)?.[1] ?? '';
  }

  /** Every key of database 0 that matches the pattern, sorted by name. */
  describeKeys(pattern = '*'): Promise<DescribedKey[]> {
    return this.use((redis) => describeKeys(redis, pattern));
  }

  /** Every key of database 0 with its content, as text that contains everything stored as ASCII. */
  dump(): Promise<string> {
    return this.use(dumpKeys);
  }

  #spawn(): RedisProcess {
    return new RedisProcess(this.folder, this.options.isSentinel ? ['--sentinel'] : []);
  }

  async #answers(untilLoaded: boolean): Promise<void> {
    await eventually(async () => {
      if (!this.#process.isRunning) throw new Error(`redis-server ended:\n${await this.#process.log()}`);
      return this.#isUp(untilLoaded);
    });
  }

  async #isUp(untilLoaded: boolean): Promise<boolean> {
    try {
      return (await this.call('PING')) === 'PONG';
    } catch (error) {
      const { message } = error as Error;
      return message.startsWith('NOAUTH') || (!untilLoaded && message.startsWith('LOADING'));
    }
  }
}
