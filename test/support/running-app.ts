import type { INestApplication, ModuleMetadata } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import {
  DistributedSessionManager,
  DistributedSessionModule,
  type DistributedSessionModuleOptions,
} from 'nestjs-distributed-session';
import type { MakeAdapter } from './adapters.js';

const started = new Set<INestApplication>();

export interface RunningApp {
  readonly app: INestApplication;
  /** Its base URL, without a trailing slash. */
  readonly url: string;
  readonly sessions: DistributedSessionManager;
}

/** Creates an application without initialising it. */
export async function makeApp(metadata: ModuleMetadata, makeAdapter: MakeAdapter): Promise<INestApplication> {
  const module = await Test.createTestingModule(metadata).compile();
  const app = module.createNestApplication(makeAdapter(), { logger: false });
  started.add(app);
  return app;
}

/** Creates an application and listens on a free port. */
export async function startApp(metadata: ModuleMetadata, makeAdapter: MakeAdapter): Promise<RunningApp> {
  return listen(await makeApp(metadata, makeAdapter));
}

/** Creates an application with `DistributedSessionModule` and listens on a free port. */
export async function startSessionApp(
  makeAdapter: MakeAdapter,
  options: DistributedSessionModuleOptions,
  metadata: ModuleMetadata = {},
): Promise<RunningApp> {
  const sessions = DistributedSessionModule.forRoot(options);
  return startApp({ ...metadata, imports: [sessions, ...(metadata.imports ?? [])] }, makeAdapter);
}

/** Listens on a free port. */
export async function listen(app: INestApplication): Promise<RunningApp> {
  started.add(app);
  await app.listen(0, '127.0.0.1');
  const { port } = app.getHttpServer().address() as { port: number };
  return { app, url: `http://127.0.0.1:${port}`, sessions: app.get(DistributedSessionManager, { strict: false }) };
}

/** Closes all applications of this file. For `afterEach` and `afterAll`. */
export async function closeApps(): Promise<void> {
  const apps = [...started];
  started.clear();
  await Promise.all(apps.map((app) => app.close()));
}
