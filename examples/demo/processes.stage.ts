import { randomBytes } from 'node:crypto';
import type { IssuedServiceCredential } from 'nestjs-distributed-session';
import { type Registrations, SERVICE_NAMES, type ServiceName } from '../registrations.js';
import { SessionServiceConnection } from '../remote/session-service.connection.js';
import type { StorageChoice } from './storages/storage-choice.js';
import { ServiceProcess } from './service-process.js';
import type { ServiceUrls, Stage } from './stage.js';

const SESSION_SERVICE = new URL('../../session-service/main.js', import.meta.url);
const PROGRAMS: Readonly<Record<ServiceName, URL>> = {
  user: new URL('../user/main.js', import.meta.url),
  order: new URL('../order/main.js', import.meta.url),
  pay: new URL('../pay/main.js', import.meta.url),
};

/** The session service and the three services, each a process of its own. Only the session service holds the storage. */
export class ProcessesStage implements Stage {
  readonly setting: string;
  readonly #processes: ServiceProcess[] = [];

  constructor(private readonly choice: StorageChoice) {
    this.setting = `Each is a process of its own and asks the session service, which holds ${choice.name}.`;
  }

  async start(registrations: Registrations, signal: AbortSignal): Promise<ServiceUrls> {
    const administrator = { serviceId: 'admin', secret: randomBytes(32).toString('hex') };
    const url = await this.#run('session-service', signal, SESSION_SERVICE, {
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
    // All are begun before the first is waited for, so that close() knows each of them whatever becomes of the others.
    const starting = environments.map(
      async ([name, environment]) => [name, await this.#run(name, signal, PROGRAMS[name], environment)] as const,
    );
    return Object.fromEntries(await Promise.all(starting)) as ServiceUrls;
  }

  async close(): Promise<void> {
    await Promise.all(this.#processes.map((running) => running.stop()));
  }

  /** Starts a process, at once, and resolves to where it listens. */
  async #run(
    name: string,
    signal: AbortSignal,
    program: URL,
    environment: Readonly<Record<string, string>>,
  ): Promise<string> {
    const started = new ServiceProcess(name, program, environment);
    this.#processes.push(started);
    return started.url(signal);
  }
}
