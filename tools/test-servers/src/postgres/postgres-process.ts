import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readFileSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { childrenOf } from './process-children.js';

/**
 * What the watcher runs: it waits for a line, and takes the end of its input for the death of this process. A server
 * that is told to quit ends its children, too; where a frozen one's are not found, it takes five seconds.
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
 * A `postgres` with its children, in a folder with its cluster under `data`, as the user whose that is. It does not
 * outlive this process, however that one ends.
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
    // In sessions of their own: what ends the tests at a terminal does not end the watcher before its work.
    this.#child = spawn(program, ['-D', 'data'], {
      cwd: folder,
      detached: true,
      // The pipe is closed when the last of its children has ended.
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
    if (this.#child.pid === undefined) throw new Error('postgres could not be started: is it installed?');
    return this.#child.pid;
  }

  /** Whether it has not ended; a frozen one runs. */
  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  get isFrozen(): boolean {
    return this.#isFrozen && this.isRunning;
  }

  /** Whether it lets clients in. */
  get isReady(): boolean {
    return this.isRunning && this.#line(PID_LINE) === String(this.pid) && this.#line(STATUS_LINE) === 'ready';
  }

  /** Stops it and all its children where they are; its connections stay open. */
  freeze(): void {
    this.#isFrozen = true;
    // Once it is stopped, it starts no more of them.
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

  /** Ends it in good order by `SIGINT`, at once but without a trace in the machine by `SIGQUIT`. */
  async end(name: 'SIGINT' | 'SIGQUIT'): Promise<void> {
    if (!this.isRunning) return;
    this.#child.kill(name);
    this.resume();
    await this.#end();
  }

  /** Ends it and all its children by `SIGKILL`, so that none of them does anything more. */
  async kill(): Promise<void> {
    if (!this.isRunning) return;
    const sharedMemory = this.#line(SHARED_MEMORY_LINE)?.split(/\s+/u)[1];
    this.freeze();
    for (const pid of childrenOf(this.pid)) signal(pid, 'SIGKILL');
    this.#child.kill('SIGKILL');
    await this.#end();
    // The machine keeps few of them, on some systems 32, and nobody else removes it if the server is not started again.
    if (sharedMemory) await promisify(execFile)('ipcrm', ['-m', sharedMemory]).catch(() => undefined);
  }

  /** All that it has logged. */
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

/** A process may have ended meanwhile. */
function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
