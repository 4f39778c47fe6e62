import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { INestApplication } from '@nestjs/common';
import {
  DistributedSessionManager,
  type IssuedServiceCredential,
  type SessionStorage,
} from 'nestjs-distributed-session';
import { SessionServiceConnection } from '../remote/session-service.connection.js';
import { EmbeddedSessionsModule } from '../service/embedded-sessions.module.js';
import { startService } from '../service/start-service.js';
import { type Registrations, SERVICE_MODULES, SERVICE_NAMES, type ServiceName } from '../services.js';
import type { StorageChoice } from './storages.js';

const START_TIMEOUT_MS = 30_000;
const STOP_TIMEOUT_MS = 5_000;
/** How much of its output is kept, for the error message if it does not start. */
const KEPT_OUTPUT = 4_000;

export type ServiceUrls = Readonly<Record<ServiceName, string>>;

/** Registers and runs the three services. */
export interface Stage {
  /** One sentence about what runs where. */
  readonly setting: string;

  /** Registers the services, as an operator would, and starts each with its secret. Resolves to their URLs. */
  start(registrations: Registrations, signal: AbortSignal): Promise<ServiceUrls>;

  /** Stops everything that was started, also after a failed start. */
  close(): Promise<void>;
}

/** Runs all three services in this process, on one storage. */
export class OneProcessStage implements Stage {
  readonly setting: string;
  readonly #storage: SessionStorage;
  readonly #operator: DistributedSessionManager;
  readonly #apps: INestApplication[] = [];

  constructor(choice: StorageChoice) {
    this.setting = `All three run in this process and share ${choice.name}.`;
    this.#storage = choice.create();
    this.#operator = new DistributedSessionManager({ serviceId: 'operator', storage: this.#storage });
  }

  async start(registrations: Registrations): Promise<ServiceUrls> {
    await this.#operator.connect();
    const urls: Partial<Record<ServiceName, string>> = {};
    for (const name of SERVICE_NAMES) {
      const { serviceId, secret } = await this.#operator.registerService(registrations[name]);
      const sessions = EmbeddedSessionsModule.forService({ serviceId, secret }, this.#storage);
      const app = await startService(SERVICE_MODULES[name], sessions);
      this.#apps.push(app);
      urls[name] = await app.getUrl();
    }
    return urls as ServiceUrls;
  }

  async close(): Promise<void> {
    await Promise.all(this.#apps.map((app) => app.close()));
    await this.#operator.close();
  }
}

/** The programs, relative to `dist/examples/demo.js`: the build bundles this module into it. */
const SESSION_SERVICE = new URL('../session-service/main.js', import.meta.url);
const EXAMPLE_SERVICE = new URL('./main.js', import.meta.url);

/** Runs the session service and the three services as separate processes. Only the session service holds the storage. */
export class ProcessesStage implements Stage {
  readonly setting: string;
  readonly #processes: ServiceProcess[] = [];

  constructor(private readonly choice: StorageChoice) {
    this.setting = `Each runs as a separate process and uses the session service, which holds ${choice.name}.`;
  }

  async start(registrations: Registrations, signal: AbortSignal): Promise<ServiceUrls> {
    const administrator = { serviceId: 'admin', secret: randomBytes(32).toString('hex') };
    const url = await this.#run('session-service', signal, SESSION_SERVICE, [], {
      ...this.choice.environment,
      NODE_ENV: 'development',
      HOST: '127.0.0.1',
      PORT: '0',
      ADMIN_SERVICE_ID: administrator.serviceId,
      ADMIN_SECRET: administrator.secret,
    });
    const operator = new SessionServiceConnection(url, administrator);
    const environments: [ServiceName, Record<string, string>][] = [];
    for (const name of SERVICE_NAMES) {
      const request = { method: 'POST', path: ['services'], body: registrations[name], isRead: false } as const;
      const { serviceId, secret } = await operator.send<IssuedServiceCredential>(request);
      environments.push([name, { SESSION_SERVICE_URL: url, SERVICE_ID: serviceId, SERVICE_SECRET: secret }]);
    }
    // All are started before the first is awaited, so that close() stops every one of them whatever fails.
    const starting = environments.map(
      async ([name, environment]) =>
        [name, await this.#run(name, signal, EXAMPLE_SERVICE, [name], environment)] as const,
    );
    return Object.fromEntries(await Promise.all(starting)) as ServiceUrls;
  }

  async close(): Promise<void> {
    await Promise.all(this.#processes.map((running) => running.stop()));
  }

  /** Starts a process immediately and resolves to its URL. */
  async #run(
    name: string,
    signal: AbortSignal,
    program: URL,
    args: readonly string[],
    environment: Readonly<Record<string, string>>,
  ): Promise<string> {
    const started = new ServiceProcess(name, program, args, environment);
    this.#processes.push(started);
    return started.url(signal);
  }
}

/** A service that runs as a separate process and prints its URL. */
class ServiceProcess {
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
