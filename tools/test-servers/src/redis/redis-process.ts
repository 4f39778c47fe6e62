import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { join } from 'node:path';

const SERVER = 'redis-server';
/** What the watcher runs: it waits for a line, and takes the end of its input for the death of this process. */
const WATCHER = 'read -r _ || { kill -KILL "$1"; rm -rf "$2"; }';

/** A `redis-server` in a folder with its `redis.conf`. It does not outlive this process, however that one ends. */
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
    // In sessions of their own: what ends the tests at a terminal does not end the watcher before its work.
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
    if (this.#child.pid === undefined) throw new Error('redis-server could not be started: is it installed?');
    return this.#child.pid;
  }

  /** Whether it has not ended; a frozen one runs. */
  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  get isFrozen(): boolean {
    return this.#isFrozen && this.isRunning;
  }

  /** Stops it where it is; its connections stay open. */
  freeze(): void {
    this.#child.kill('SIGSTOP');
    this.#isFrozen = true;
  }

  resume(): void {
    this.#child.kill('SIGCONT');
    this.#isFrozen = false;
  }

  /** Ends it and resolves once it has: at once by `SIGKILL`, in good order by `SIGTERM`. */
  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    if (!this.isRunning) return;
    this.#child.ref();
    this.#child.kill(signal);
    this.resume();
    await this.#ended;
  }

  /** The end of what it has logged. */
  async log(): Promise<string> {
    const files = ['stderr.log', 'redis.log'].map((name) => readFile(join(this.folder, name), 'utf8').catch(() => ''));
    return (await Promise.all(files)).join('').slice(-2_000);
  }
}
