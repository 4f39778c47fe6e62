import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const START_TIMEOUT_MS = 30_000;
const STOP_TIMEOUT_MS = 5_000;
/** How much of its output is kept, for the error message if it does not start. */
const KEPT_OUTPUT = 4_000;

/** A service that runs as a separate process and prints its URL. */
export class ServiceProcess {
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  #output = '';

  constructor(
    private readonly name: string,
    program: URL,
    args: readonly string[],
    /** The process's whole environment: it inherits nothing. */
    environment: Readonly<Record<string, string>>,
  ) {
    const file = fileURLToPath(program);
    if (!existsSync(file)) throw new Error(`The program of ${name} does not exist. Run \`npm run build\` first.`);
    const child = spawn(process.execPath, ['--enable-source-maps', file, ...args], {
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.#output = (this.#output + text).slice(-KEPT_OUTPUT);
      });
    }
    this.#ended = new Promise((resolve) => {
      child.once('close', () => resolve());
      child.once('error', () => resolve());
    });
    this.#child = child;
  }

  /** Resolves to the first URL that the process prints; rejects if it ends or times out before. */
  async url(interruption: AbortSignal): Promise<string> {
    const signal = AbortSignal.any([interruption, AbortSignal.timeout(START_TIMEOUT_MS)]);
    return new Promise((resolve, reject) => {
      const fail = (why: string) => reject(new Error(`${this.name} ${why}:\n${this.#output}`));
      this.#child.stdout!.on('data', () => {
        const [url] = /http:\/\/127\.0\.0\.1:\d+/.exec(this.#output) ?? [];
        if (url !== undefined) resolve(url);
      });
      void this.#ended.then(() => fail('ended before it listened'));
      signal.addEventListener('abort', () => fail('did not listen in time'), { once: true });
    });
  }

  /** Ends the process with SIGTERM, and with SIGKILL if it does not end in time. */
  async stop(): Promise<void> {
    this.#child.kill('SIGTERM');
    const deadline = setTimeout(() => this.#child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await this.#ended;
    clearTimeout(deadline);
  }
}
