import type { INestApplication, ModuleMetadata } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import {
  DistributedSessionManager,
  DistributedSessionModule,
  type DistributedSessionModuleOptions,
} from 'nestjs-distributed-session';
import type { MakeAdapter } from './adapters.js';

const made = new Set<INestApplication>();

export interface RunningApp {
  readonly app: INestApplication;
  /** Where it listens, without a slash at the end. */
  readonly url: string;
  readonly sessions: DistributedSessionManager;
}

/** Makes an application that is not initialised yet. */
export async function makeApp(metadata: ModuleMetadata, makeAdapter: MakeAdapter): Promise<INestApplication> {
  const module = await Test.createTestingModule(metadata).compile();
  const app = module.createNestApplication(makeAdapter(), { logger: false });
  made.add(app);
  return app;
}

/** Makes an application and lets it listen on a free port. */
export async function startApp(metadata: ModuleMetadata, makeAdapter: MakeAdapter): Promise<RunningApp> {
  return listen(await makeApp(metadata, makeAdapter));
}

/** Makes an application with these sessions, and lets it listen. */
export async function startSessionApp(
  makeAdapter: MakeAdapter,
  options: DistributedSessionModuleOptions,
  metadata: ModuleMetadata = {},
): Promise<RunningApp> {
  const sessions = DistributedSessionModule.forRoot(options);
  return startApp({ ...metadata, imports: [sessions, ...(metadata.imports ?? [])] }, makeAdapter);
}

export async function listen(app: INestApplication): Promise<RunningApp> {
  await app.listen(0, '127.0.0.1');
  const { port } = app.getHttpServer().address() as { port: number };
  return { app, url: `http://127.0.0.1:${port}`, sessions: app.get(DistributedSessionManager, { strict: false }) };
}

/** Closes every application that was made. For `afterEach` and `afterAll`. */
export async function closeApps(): Promise<void> {
  const apps = [...made];
  made.clear();
  await Promise.all(apps.map((app) => app.close()));
}
