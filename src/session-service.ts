import type { Server } from 'node:http';
import { type INestApplication, ShutdownSignal } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import helmet from 'helmet';
import { AppModule } from './app.module.js';
import { environmentConfig } from './config/environment.config.js';
import type { Environment } from './config/environment.js';
import { createSessionStorage } from './config/session-storage.js';
import { APPLICATION_OPTIONS, createHttpAdapter, readJsonBodies } from './http/http-adapter.js';
import { answerMalformed } from './http/malformed-request.js';
import { requestContext } from './http/request-context.middleware.js';
import { requestShape } from './http/request-shape.middleware.js';
import { RequestLog } from './logging/request-log.js';
import { ServiceLogger } from './logging/service-logger.js';
import { ServiceMetrics } from './metrics/service-metrics.js';
import { serveOpenApi } from './openapi/openapi-document.js';

/** The session service, ready to listen. */
export async function createSessionService(environment: Environment): Promise<INestApplication> {
  // A storage that cannot be made is told before anything begins, and not as a failure of the application.
  createSessionStorage(environment);
  const logger = new ServiceLogger(environment);
  const adapter = await createHttpAdapter(environment);
  const app = await NestFactory.create(AppModule, adapter, { ...APPLICATION_OPTIONS, logger });
  configure(app);
  // A stop that was asked for and went well is no failure: exit code 0.
  return app.enableShutdownHooks([ShutdownSignal.SIGTERM, ShutdownSignal.SIGINT], { useProcessExit: true });
}

/** What stands before the routes, in the order in which a request meets it. */
export function configure(app: INestApplication): void {
  const environment = app.get<Environment>(environmentConfig.KEY);
  const server = app.getHttpServer() as Server;
  // Fastify has an answer of its own.
  server.removeAllListeners('clientError').on('clientError', answerMalformed);
  const [log, metrics] = [app.get(RequestLog), app.get(ServiceMetrics, { strict: false })];
  app.use(
    requestContext((request) => {
      log.write(request);
      metrics.observe(request);
    }),
  );
  // The page of /docs is reached by plain HTTP on a machine of its own, so nothing upgrades it.
  app.use(helmet({ contentSecurityPolicy: { directives: { upgradeInsecureRequests: null } } }));
  app.use(requestShape);
  readJsonBodies(app, environment);
  if (environment.DOCS === 'on') serveOpenApi(app);
}
