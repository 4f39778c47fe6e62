import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './packed-library.js';

export interface ProgramOptions {
  readonly args?: readonly string[];
  /** All that it sees of the environment. Default: what this process has. */
  readonly env?: NodeJS.ProcessEnv;
  /** Where it runs. Default: where this process does. */
  readonly cwd?: string;
}

/** A program of the build while it runs, in a process group of its own. */
export class BuiltProgram {
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  stdout = '';
  stderr = '';

  constructor(
    /** Where it is in `dist`, such as `examples/demo.js`. */
    private readonly program: string,
    { args = [], env = process.env, cwd }: ProgramOptions = {},
  ) {
    const file = join(ROOT, 'dist', program);
    if (!existsSync(file)) throw new Error(`There is no dist/${program}: run \`npm run build\` first.`);
    const child = spawn(process.execPath, [file, ...args], {
      detached: true,
      env,
      cwd,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child.stdout.on('data', (text: Buffer) => (this.stdout += text.toString('utf8')));
    child.stderr.on('data', (text: Buffer) => (this.stderr += text.toString('utf8')));
    this.#child = child;
    this.#ended = once(child, 'close');
  }

  /** Resolves once it has printed this; throws if it ends before. */
  async printed(text: string): Promise<void> {
    const ended = this.#ended.then(() => true);
    while (!this.stdout.includes(text)) {
      const isOver = await Promise.race([ended, once(this.#child.stdout!, 'data').then(() => false)]);
      if (isOver) throw new Error(`${this.program} ended and never printed '${text}':\n${this.stdout}${this.stderr}`);
    }
  }

  /** Sends a signal to it and to all that it has started, as a terminal does. */
  signal(name: NodeJS.Signals): void {
    process.kill(-this.#child.pid!, name);
  }

  /** Its exit code, once it has ended. */
  async exitCode(): Promise<number | null> {
    await this.#ended;
    return this.#child.exitCode;
  }

  /** Ends what is left of it. */
  kill(): void {
    if (this.isRunning()) this.signal('SIGKILL');
  }

  /** Whether anything of its group still runs. */
  isRunning(): boolean {
    try {
      return process.kill(-this.#child.pid!, 0);
    } catch {
      return false;
    }
  }
}
