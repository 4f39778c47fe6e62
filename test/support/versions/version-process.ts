import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { DistributedSessionManager, SessionEvent, SessionStorage } from 'nestjs-distributed-session';

const WORKER = fileURLToPath(new URL('version-worker.js', import.meta.url));

export interface VersionStart {
  /** The built modules of the version. */
  readonly dist: string;
  readonly storage: 'redis' | 'postgres';
  readonly options: object;
  readonly env?: Readonly<Record<string, string>>;
}

interface Answer {
  readonly number: number;
  readonly value?: unknown;
  readonly error?: object;
}

/** The methods of an object in another process. */
type Remote<T> = {
  readonly [Name in keyof T as T[Name] extends (...args: never[]) => unknown ? Name : never]: T[Name] extends (
    ...args: infer Args
  ) => infer Result
    ? (...args: Args) => Promise<Awaited<Result>>
    : never;
};

/** A process of one version of the library, with a manager on a store. */
export class VersionProcess {
  readonly sessions = this.#remote<DistributedSessionManager>('sessions');
  readonly storage = this.#remote<SessionStorage>('storage');
  /** What it has printed. */
  output = '';
  readonly #pending = new Map<number, { resolve: (answer: Answer) => void; reject: (error: Error) => void }>();
  #calls = 0;

  private constructor(private readonly child: ChildProcess) {
    child.on('message', (message) => {
      const answer = message as Answer;
      this.#pending.get(answer.number)?.resolve(answer);
      this.#pending.delete(answer.number);
    });
    child.on('exit', () => {
      for (const { reject } of this.#pending.values()) reject(new Error(`The process ended:\n${this.output}`));
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (text: Buffer) => (this.output += text.toString('utf8')));
    }
  }

  /** Starts a process. Rejects with the error of a start that failed, as an object. */
  static async start({ dist, storage, options, env = {} }: VersionStart): Promise<VersionProcess> {
    const child = fork(WORKER, [dist], {
      env: { ...process.env, NO_COLOR: '1', NODE_OPTIONS: '', ...env },
      execArgv: [],
      serialization: 'advanced',
      silent: true,
    });
    const started = new VersionProcess(child);
    try {
      await started.#ask({ number: 0, storage, options });
      return started;
    } catch (error) {
      await started.kill();
      throw error;
    }
  }

  /** The events since the last call. */
  async takeEvents(): Promise<SessionEvent[]> {
    return (await this.#call(['takeEvents'], [])) as SessionEvent[];
  }

  /** Closes the manager and ends the process. */
  async close(): Promise<void> {
    await this.#call(['exit'], []);
    await this.kill();
  }

  async kill(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await ended;
  }

  #remote<T>(root: string): Remote<T> {
    return new Proxy({} as Remote<T>, {
      get:
        (_, name) =>
        async (...args: unknown[]) =>
          this.#call([root, String(name)], args),
    });
  }

  async #call(path: readonly string[], args: readonly unknown[]): Promise<unknown> {
    return this.#ask({ number: ++this.#calls, path, args });
  }

  async #ask(message: { readonly number: number; readonly [name: string]: unknown }): Promise<unknown> {
    const answered = new Promise<Answer>((resolve, reject) => {
      this.#pending.set(message.number, { resolve, reject });
    });
    // The first message has no number: it starts the process.
    const { number, ...start } = message;
    this.child.send(number === 0 ? start : message);
    const { value, error } = await answered;
    if (error) throw Object.assign(new Error(), error);
    return value;
  }
}
