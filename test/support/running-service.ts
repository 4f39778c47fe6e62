import type { INestApplication, LoggerService } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { DistributedSessionManager, InMemorySessionStorage, SessionStorage } from 'nestjs-distributed-session';
import { AppModule } from '../../src/app.module.js';
import { environmentConfig, readEnvironment } from '../../src/config/read-environment.js';
import { APPLICATION_OPTIONS, createHttpAdapter } from '../../src/http/http-adapter.js';
import { configure } from '../../src/session-service.js';
import { basic } from './credential-headers.js';

/** The HTTP servers that the session service runs on, for `describe.each`. */
export const SERVERS = [['express'], ['fastify']] as const;

const ADMIN_SECRET = 'the-secret-of-the-administrator';

export interface RunningService {
  readonly app: INestApplication;
  /** Where it listens, without a slash at the end. */
  readonly url: string;
  /** The storage that it works on. */
  readonly storage: SessionStorage;
  /** The sessions as the application itself sees them: every permission, and no HTTP. */
  readonly sessions: DistributedSessionManager;
  /** The headers of the administrator. */
  readonly administrator: Record<string, string>;
  /** Registers a service with these permissions and returns its headers. */
  register(serviceId: string, ...permissions: string[]): Promise<Record<string, string>>;
}

export interface ServiceOptions {
  /** Environment variables that go over those of the tests. */
  readonly variables?: Readonly<Record<string, string>>;
  /** Default: one of its own, in memory. */
  readonly storage?: SessionStorage;
  /** Default: no log. */
  readonly logger?: LoggerService;
}

const running = new Set<INestApplication>();

/** Starts the session service as it is, on a free port of this machine. */
export async function startService(options: ServiceOptions = {}): Promise<RunningService> {
  const { variables = {}, storage = new InMemorySessionStorage(), logger } = options;
  // The page of /docs comes from a CommonJS package that requires ES modules when Fastify serves it: Jest has no such thing.
  const DOCS = variables['HTTP_ADAPTER'] === 'fastify' ? 'off' : 'on';
  const environment = readEnvironment({ NODE_ENV: 'test', ADMIN_SECRET, DOCS, ...variables });
  const module = await Test.createTestingModule({ imports: [AppModule] })
    .overrideProvider(environmentConfig.KEY)
    .useValue(environment)
    .overrideProvider(SessionStorage)
    .useValue(storage)
    .compile();
  const adapter = await createHttpAdapter(environment);
  const app = module.createNestApplication(adapter, { ...APPLICATION_OPTIONS, logger: logger ?? false });
  running.add(app);
  configure(app);
  await app.listen(0, '127.0.0.1');
  const { port } = app.getHttpServer().address() as { port: number };
  const sessions = app.get(DistributedSessionManager, { strict: false });
  return {
    app,
    url: `http://127.0.0.1:${port}`,
    storage,
    sessions,
    administrator: basic(environment.ADMIN_SERVICE_ID, ADMIN_SECRET),
    register: async (serviceId, ...permissions) => {
      const registered = await sessions.registerService({ serviceId, serviceName: serviceId, permissions });
      return basic(serviceId, registered.secret);
    },
  };
}

/** Stops every service that was started. For `afterEach` and `afterAll`. */
export async function stopServices(): Promise<void> {
  const apps = [...running];
  running.clear();
  await Promise.all(apps.map((app) => app.close()));
}
