import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { join } from 'node:path';

/** The watcher's script: it waits for a line; the end of its input means that this process has died. */
const WATCHER = 'read -r _ || { kill -KILL "$1"; rm -rf "$2"; }';

/**
 * A `pgbouncer` process in a folder with its `pgbouncer.ini`, run by the folder's owner: it refuses to run as root. It ends
 * with this process, however this process ends.
 */
export class PgbouncerProcess {
  readonly #child: ChildProcess;
  readonly #watcher: ChildProcess;
  readonly #ended: Promise<unknown>;

  constructor(
    program: string,
    private readonly folder: string,
  ) {
    const log = openSync(join(folder, 'pgbouncer.log'), 'a');
    const { uid, gid } = statSync(folder);
    // In separate sessions, so that Ctrl-C does not end the watcher before it has done its work.
    this.#child = spawn(program, ['pgbouncer.ini'], {
      cwd: folder,
      detached: true,
      stdio: ['ignore', 'ignore', log],
      ...(process.getuid?.() === 0 ? { uid, gid } : {}),
    });
    closeSync(log);
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
    if (this.#child.pid === undefined) throw new Error('pgbouncer did not start. Is it installed?');
    return this.#child.pid;
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Ends it at once, with all its connections. */
  async end(): Promise<void> {
    if (!this.isRunning) return;
    this.#child.ref();
    this.#child.kill('SIGTERM');
    await this.#ended;
  }

  /** Its whole log. */
  log(): Promise<string> {
    return readFile(join(this.folder, 'pgbouncer.log'), 'utf8');
  }
}
