import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { join } from 'node:path';

/** The program: `redis-server`, or one that is compatible. */
const SERVER = process.env['TESTS_REDIS_PROGRAM'] ?? 'redis-server';
/** The watcher's script: it waits for a line; the end of its input means that this process has died. */
const WATCHER = 'read -r _ || { kill -KILL "$1"; rm -rf "$2"; }';

/** A `redis-server` process in a folder with its `redis.conf`. It ends with this process, however this process ends. */
export class RedisProcess {
  readonly #child: ChildProcess;
  readonly #watcher: ChildProcess;
  readonly #ended: Promise<unknown>;
  #isFrozen = false;

  constructor(
    private readonly folder: string,
    args: readonly string[] = [],
  ) {
    const stderr = openSync(join(folder, 'stderr.log'), 'a');
    // In separate sessions, so that Ctrl-C does not end the watcher before it has done its work.
    this.#child = spawn(SERVER, ['redis.conf', ...args], {
      cwd: folder,
      detached: true,
      stdio: ['ignore', 'ignore', stderr],
    });
    closeSync(stderr);
    this.#ended = Promise.race([once(this.#child, 'exit'), once(this.#child, 'error')]).catch(() => undefined);
    this.#watcher = spawn('sh', ['-c', WATCHER, 'sh', String(this.pid), folder], {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    this.#child.unref();
    this.#watcher.unref();
    (this.#watcher.stdin as Socket).unref();
    this.#child.once('exit', () => this.#watcher.stdin?.end('\n'));
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error('redis-server did not start. Is it installed?');
    return this.#child.pid;
  }

  /** Whether the process has not ended; a frozen process runs. */
  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  get isFrozen(): boolean {
    return this.#isFrozen && this.isRunning;
  }

  /** Freezes it; its connections stay open. */
  freeze(): void {
    this.#child.kill('SIGSTOP');
    this.#isFrozen = true;
  }

  resume(): void {
    this.#child.kill('SIGCONT');
    this.#isFrozen = false;
  }

  /** Ends it and resolves once it has ended: `SIGKILL` kills it, `SIGTERM` shuts it down. */
  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    if (!this.isRunning) return;
    this.#child.ref();
    this.#child.kill(signal);
    this.resume();
    await this.#ended;
  }

  /** The end of its log. */
  async log(): Promise<string> {
    const files = ['stderr.log', 'redis.log'].map((name) => readFile(join(this.folder, name), 'utf8').catch(() => ''));
    return (await Promise.all(files)).join('').slice(-2_000);
  }
}
