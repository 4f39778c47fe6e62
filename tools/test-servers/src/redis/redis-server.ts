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
  /** Over the defaults: nothing is kept on disk. */
  readonly settings?: RedisSettings;
  /** Default: a free one. */
  readonly port?: number;
  /** Where it keeps its files; made if it is missing, and removed by `stop()`. Default: a temporary one. */
  readonly folder?: string;
  /** For the calls of the test, if the settings ask for a password. */
  readonly credentials?: RedisCredentials;
  /** Whether `start()` waits until all is loaded from the disk. Default: true. */
  readonly untilLoaded?: boolean;
  /** Starts a Sentinel instead. */
  readonly isSentinel?: boolean;
}

/** A real `redis-server` of its own on the loopback interface. */
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

  /** Resolves once it answers. */
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

  /** Whether it runs and is not frozen. */
  get isAlive(): boolean {
    return this.#process.isRunning && !this.#process.isFrozen;
  }

  /** Ends it and removes its folder. */
  async stop(): Promise<void> {
    await this.#process.end('SIGKILL');
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Ends it by `SIGKILL`; its port and its folder stay for `restart()`. */
  kill(): Promise<void> {
    return this.#process.end('SIGKILL');
  }

  /** Stops it by `SIGSTOP`: its connections stay open, and nobody is answered. */
  freeze(): void {
    this.#process.freeze();
  }

  /** Lets a frozen one go on. */
  resume(): void {
    this.#process.resume();
  }

  /** Starts it again on its port and in its folder; one that still runs is ended in good order before. */
  async restart({ untilLoaded = true }: Pick<RedisServerOptions, 'untilLoaded'> = {}): Promise<void> {
    await this.#process.end('SIGTERM');
    this.#process = this.#spawn();
    await this.#answers(untilLoaded);
  }

  /** The reply to one command over a connection of its own. */
  call(command: string, ...args: readonly (string | number | Buffer)[]): Promise<unknown> {
    return this.use((redis) => redis.call(command, [...args]));
  }

  /** What the work resolves to, over a connection of its own that never retries. */
  use<T>(work: (redis: Redis) => Promise<T>): Promise<T> {
    return withRedis(this.port, this.options.credentials, work);
  }

  /**
   * Resolves once so many replicas have everything that this server has now. `WAIT` means what was there at the command
   * before it on the same connection; on one that has sent nothing it waits for nothing.
   */
  async waitForReplicas(count: number): Promise<void> {
    const reached = await this.use(async (redis) => {
      await redis.ping();
      return redis.wait(count, 4_000);
    });
    if (reached < count)
      throw new Error(`Only ${reached} of ${count} replicas have what the server on ${this.port} has.`);
  }

  /** How often each command was called since the start or `resetStatistics()`, by its name: `config|resetstat`. */
  async commandCounts(): Promise<Record<string, number>> {
    const text = String(await this.call('INFO', 'commandstats'));
    const counts = [...text.matchAll(/^cmdstat_(\S+?):calls=(\d+)/gmu)];
    return Object.fromEntries(counts.map(([, name, calls]) => [name, Number(calls)]));
  }

  async resetStatistics(): Promise<void> {
    await this.call('CONFIG', 'RESETSTAT');
  }

  /** The field of a section of `INFO`; empty if there is none. */
  async info(section: string, field: string): Promise<string> {
    const text = String(await this.call('INFO', section));
    return new RegExp(`^${field}:(.*?)\\r?$`, 'mu').exec(text)?.[1] ?? '';
  }

  /** Every key of database 0 that matches the pattern, sorted by its name. */
  describeKeys(pattern = '*'): Promise<DescribedKey[]> {
    return this.use((redis) => describeKeys(redis, pattern));
  }

  /** Every key of database 0 with all that it holds, as text in which whatever is stored as ASCII is found. */
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
