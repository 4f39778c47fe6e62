import type { INestApplication, LoggerService } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { DistributedSessionManager, InMemorySessionStorage, SessionStorage } from 'nestjs-distributed-session';
import { AppModule } from '../../src/app.module.js';
import { environmentConfig, readEnvironment } from '../../src/config/read-environment.js';
import { APPLICATION_OPTIONS, createHttpAdapter } from '../../src/http/http-adapter.js';
import { configure } from '../../src/session-service.js';
import { basic } from './credential-headers.js';
import { isFullTier } from './tier.js';

export type HttpServerName = 'express' | 'fastify';

/** Every HTTP server that the session service runs on. */
export const ALL_SERVERS: readonly [HttpServerName][] = [['express'], ['fastify']];

/** The HTTP servers to test, for `describe.each`: Express, and in the full tier Fastify as well. */
export const SERVERS = isFullTier ? ALL_SERVERS : ALL_SERVERS.slice(0, 1);

const ADMIN_SECRET = 'the-secret-of-the-administrator';

export interface RunningService {
  readonly app: INestApplication;
  /** The address, without a trailing slash. */
  readonly url: string;
  readonly storage: SessionStorage;
  /** The manager, with every permission and without HTTP. */
  readonly sessions: DistributedSessionManager;
  /** The credential headers of the administrator. */
  readonly administrator: Record<string, string>;
  /** Registers a service with these permissions and returns its credential headers. */
  register(serviceId: string, ...permissions: string[]): Promise<Record<string, string>>;
}

export interface ServiceOptions {
  /** Environment variables that override the test defaults. */
  readonly variables?: Readonly<Record<string, string>>;
  /** Defaults to a new in-memory storage. */
  readonly storage?: SessionStorage;
  /** Defaults to no log. */
  readonly logger?: LoggerService;
}

const running = new Set<INestApplication>();

/** Starts the session service on a free local port. */
export async function startService(options: ServiceOptions = {}): Promise<RunningService> {
  const { variables = {}, storage = new InMemorySessionStorage(), logger } = options;
  // On Fastify, a CommonJS package that serves /docs requires ES modules, which Jest does not support.
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

/** Stops every started service. For `afterEach` and `afterAll`. */
export async function stopServices(): Promise<void> {
  const apps = [...running];
  running.clear();
  await Promise.all(apps.map((app) => app.close()));
}
