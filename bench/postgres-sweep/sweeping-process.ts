import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type Interface, createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('sweeper.ts', import.meta.url));

/** A process that runs `sweeper.ts`. */
export class SweepingProcess {
  readonly #child: ChildProcess;
  readonly #lines: Interface;

  private constructor(url: string) {
    this.#child = spawn(process.execPath, [...process.execArgv, PROGRAM, url], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#lines = createInterface({ input: this.#child.stdout! });
  }

  /** Resolves once the process is connected. */
  static async start(url: string): Promise<SweepingProcess> {
    const sweeping = new SweepingProcess(url);
    await sweeping.#printed(/^ready$/u);
    return sweeping;
  }

  go(): void {
    this.#child.stdin!.write('go\n');
  }

  /** Resolves to the number of sessions that expired since `go()`. */
  async stop(): Promise<number> {
    this.#child.stdin!.write('stop\n');
    return Number(await this.#printed(/^swept (\d+)$/u));
  }

  async end(): Promise<void> {
    this.#child.stdin!.end();
    if (this.#child.exitCode === null) await once(this.#child, 'exit');
  }

  /** The group in the next line of this form. Lines of Nest's log are skipped. */
  async #printed(form: RegExp): Promise<string | undefined> {
    for (;;) {
      const [line] = (await Promise.race([once(this.#lines, 'line'), this.#died()])) as [string];
      const match = form.exec(line);
      if (match) return match[1];
    }
  }

  async #died(): Promise<never> {
    const [code] = await once(this.#child, 'exit');
    throw new Error(`The sweeping process exited with ${code}.`);
  }
}
