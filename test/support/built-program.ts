import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { isFresh } from '../../tools/build/freshness.js';
import { TARGETS } from '../../tools/build/targets.js';
import { ROOT } from './packed-library.js';

export interface ProgramOptions {
  readonly args?: readonly string[];
  /** The whole environment of the program. @default process.env */
  readonly env?: NodeJS.ProcessEnv;
  /** The working directory. @default process.cwd() */
  readonly cwd?: string;
}

/** A running program of the build, in a separate process group. */
export class BuiltProgram {
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  stdout = '';
  stderr = '';

  constructor(
    /** The path of the program in `dist`. */
    private readonly program: 'session-service/main.js' | 'examples/demo.js',
    { args = [], env = process.env, cwd }: ProgramOptions = {},
  ) {
    assertFresh(program);
    const file = join(ROOT, 'dist', program);
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

  /** Resolves when it has printed `text`. Throws if it ends before. */
  async printed(text: string): Promise<void> {
    const ended = this.#ended.then(() => true);
    while (!this.stdout.includes(text)) {
      const isOver = await Promise.race([ended, once(this.#child.stdout!, 'data').then(() => false)]);
      if (isOver) throw new Error(`${this.program} ended without printing '${text}':\n${this.stdout}${this.stderr}`);
    }
  }

  /** Sends a signal to its process group, as a terminal does. */
  signal(name: NodeJS.Signals): void {
    process.kill(-this.#child.pid!, name);
  }

  /** Resolves to its exit code when it has ended. */
  async exitCode(): Promise<number | null> {
    await this.#ended;
    return this.#child.exitCode;
  }

  /** Kills what still runs in its process group. */
  kill(): void {
    if (this.isRunning()) this.signal('SIGKILL');
  }

  /** Whether a process of its group still runs. */
  isRunning(): boolean {
    try {
      return process.kill(-this.#child.pid!, 0);
    } catch {
      return false;
    }
  }
}

/** Throws unless the program was built from the sources as they are now. */
function assertFresh(program: string): void {
  const target = program.startsWith('examples/') ? TARGETS.examples : TARGETS.service;
  // The demo starts the session service.
  if ([TARGETS.service, target].every(isFresh)) return;
  throw new Error(`dist/${program} is missing or older than its sources. Run \`npm run build\` first.`);
}
