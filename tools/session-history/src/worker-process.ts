import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { WorkerTask } from './worker.js';

const PROGRAM = fileURLToPath(new URL('worker.js', import.meta.url));

/** A child process that runs `worker.js`. */
export class WorkerProcess {
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  #stdout = '';
  #stderr = '';

  constructor(task: WorkerTask) {
    this.#child = spawn(process.execPath, [PROGRAM, JSON.stringify(task)], { stdio: 'pipe' });
    this.#child.stdout?.on('data', (chunk: Buffer) => (this.#stdout += chunk.toString()));
    this.#child.stderr?.on('data', (chunk: Buffer) => (this.#stderr += chunk.toString()));
    // A killed process reads no more; its end is reported below.
    this.#child.stdin?.on('error', () => undefined);
    this.#ended = new Promise((resolve, reject) => {
      this.#child.on('error', reject);
      this.#child.on('close', (code, signal) => {
        if (code === 0 || signal !== null) resolve();
        else reject(new Error(`A worker ended with ${code}:\n${this.#stdout}${this.#stderr}`));
      });
    });
    // The rejection is reported to callers that wait; it must not be unhandled before.
    this.#ended.catch(() => undefined);
  }

  get pid(): number {
    return this.#child.pid ?? Number.NaN;
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Resolves when the process has printed this line or was killed; rejects if it failed. */
  async printed(word: string): Promise<void> {
    const hasPrinted = new Promise<void>((resolve) => {
      const look = (): void => {
        if (this.#stdout.split('\n').includes(word)) resolve();
      };
      this.#child.stdout?.on('data', look);
      look();
    });
    await Promise.race([hasPrinted, this.#ended]);
  }

  send(line: string): void {
    this.#child.stdin?.write(`${line}\n`);
  }

  /** Lets the process end by itself. */
  async finish(): Promise<void> {
    this.#child.stdin?.end();
    await this.#ended;
  }

  kill(): void {
    if (this.isRunning) this.#child.kill('SIGKILL');
  }
}
