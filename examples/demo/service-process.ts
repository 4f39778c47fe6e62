import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const START_TIMEOUT_MS = 30_000;
const STOP_TIMEOUT_MS = 5_000;
/** How much of what it said is kept, for the error when it does not start. */
const KEPT_OUTPUT = 4_000;

/** A service as a process of its own, which says where it listens. */
export class ServiceProcess {
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  #output = '';

  constructor(
    private readonly name: string,
    program: URL,
    /** All that it sees of the environment: nothing of this process's own. */
    environment: Readonly<Record<string, string>>,
  ) {
    const file = fileURLToPath(program);
    if (!existsSync(file)) throw new Error(`The program of ${name} is not there: run \`npm run build\` first.`);
    const child = spawn(process.execPath, ['--enable-source-maps', file], {
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

  /** Resolves to the first URL that it prints; throws if it ends or takes too long before that. */
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

  /** Asks it to end, and makes it end if it does not. */
  async stop(): Promise<void> {
    this.#child.kill('SIGTERM');
    const deadline = setTimeout(() => this.#child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await this.#ended;
    clearTimeout(deadline);
  }
}
