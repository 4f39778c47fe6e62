import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readFileSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { childrenOf } from './process-children.js';

/**
 * The watcher's script: it waits for a line; the end of its input means that this process has died. A server
 * that receives SIGQUIT also ends its children; if a frozen server's children are not found, this takes five seconds.
 */
const WATCHER = `read -r _ || {
  kill -CONT "$1" $(cat "/proc/$1/task/$1/children")
  kill -QUIT "$1"
  while kill -0 "$1" && [ -e "$2/data/postmaster.pid" ]; do sleep 0.05; done
  rm -rf "$2"
}`;

/** The lines of `postmaster.pid`, from 0. */
const [PID_LINE, SHARED_MEMORY_LINE, STATUS_LINE] = [0, 6, 7];

/**
 * A `postgres` process and its children, in a folder with its cluster in `data`, run by the folder's owner. It ends with
 * this process, however this process ends.
 */
export class PostgresProcess {
  readonly #child: ChildProcess;
  readonly #watcher: ChildProcess;
  readonly #ended: Promise<unknown>;
  #isFrozen = false;

  constructor(
    program: string,
    private readonly folder: string,
  ) {
    const log = openSync(join(folder, 'postgres.log'), 'a');
    const { uid, gid } = statSync(join(folder, 'data'));
    // In separate sessions, so that Ctrl-C does not end the watcher before it has done its work.
    this.#child = spawn(program, ['-D', 'data'], {
      cwd: folder,
      detached: true,
      // The pipe closes when the last child has ended.
      stdio: ['ignore', 'pipe', log],
      ...(process.getuid?.() === 0 ? { uid, gid } : {}),
    });
    closeSync(log);
    this.#ended = once(this.#child, 'close').catch(() => undefined);
    this.#watcher = spawn('sh', ['-c', WATCHER, 'sh', String(this.pid), folder], {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    for (const each of [this.#child, this.#child.stdout as Socket, this.#watcher, this.#watcher.stdin as Socket]) {
      each.unref();
    }
    this.#child.stdout?.resume();
    this.#child.once('exit', () => this.#watcher.stdin?.end('\n'));
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error('postgres did not start. Is it installed?');
    return this.#child.pid;
  }

  /** Whether the process has not ended; a frozen process runs. */
  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  get isFrozen(): boolean {
    return this.#isFrozen && this.isRunning;
  }

  /** Whether it accepts clients. */
  get isReady(): boolean {
    return this.isRunning && this.#line(PID_LINE) === String(this.pid) && this.#line(STATUS_LINE) === 'ready';
  }

  /** Freezes it and all its children; its connections stay open. */
  freeze(): void {
    this.#isFrozen = true;
    // A frozen server starts no more children.
    this.#child.kill('SIGSTOP');
    const stopped = new Set<number>();
    for (;;) {
      const others = childrenOf(this.pid).filter((pid) => !stopped.has(pid));
      if (others.length === 0) return;
      for (const pid of others) {
        signal(pid, 'SIGSTOP');
        stopped.add(pid);
      }
    }
  }

  resume(): void {
    this.#child.kill('SIGCONT');
    for (const pid of childrenOf(this.pid)) signal(pid, 'SIGCONT');
    this.#isFrozen = false;
  }

  /** Ends it: `SIGINT` shuts it down, `SIGQUIT` ends it at once, but leaves no shared memory behind. */
  async end(name: 'SIGINT' | 'SIGQUIT'): Promise<void> {
    if (!this.isRunning) return;
    this.#child.kill(name);
    this.resume();
    await this.#end();
  }

  /** Kills it and all its children with `SIGKILL`. */
  async kill(): Promise<void> {
    if (!this.isRunning) return;
    const sharedMemory = this.#line(SHARED_MEMORY_LINE)?.split(/\s+/u)[1];
    this.freeze();
    for (const pid of childrenOf(this.pid)) signal(pid, 'SIGKILL');
    this.#child.kill('SIGKILL');
    await this.#end();
    // Some systems allow only 32 of them, and only a restart of the server would remove it.
    if (sharedMemory) await promisify(execFile)('ipcrm', ['-m', sharedMemory]).catch(() => undefined);
  }

  /** Its whole log. */
  log(): Promise<string> {
    return readFile(join(this.folder, 'postgres.log'), 'utf8');
  }

  async #end(): Promise<void> {
    this.#child.ref();
    (this.#child.stdout as Socket).ref();
    await this.#ended;
  }

  #line(index: number): string | undefined {
    const file = join(this.folder, 'data', 'postmaster.pid');
    if (!existsSync(file)) return undefined;
    return readFileSync(file, 'utf8').split('\n').at(index)?.trim();
  }
}

/** Ignores processes that have ended meanwhile. */
function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
