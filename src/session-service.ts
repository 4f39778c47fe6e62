import type { Server } from 'node:http';
import type { INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import helmet from 'helmet';
import { AppModule } from './app.module.js';
import type { Environment } from './config/environment.js';
import { environmentConfig } from './config/read-environment.js';
import { createSessionStorage } from './config/session-options.js';
import { APPLICATION_OPTIONS, createHttpAdapter, readJsonBodies } from './http/http-adapter.js';
import { respondToMalformed } from './http/malformed-request.js';
import { crossSite } from './http/cross-site.middleware.js';
import { requestContext } from './http/request-context.js';
import { keepAllHeaders, requestHeaders } from './http/request-headers.middleware.js';
import { requestShape } from './http/request-shape.middleware.js';
import { RequestLog } from './logging/request-log.js';
import { ServiceLogger } from './logging/service-logger.js';
import { ServiceMetrics } from './metrics/service-metrics.js';
import { serveOpenApi } from './openapi/openapi-document.js';

/** Creates the session service, ready to listen. */
export async function createSessionService(environment: Environment): Promise<INestApplication> {
  // Reports invalid storage options before Nest starts, which would log them as a failed injection.
  createSessionStorage(environment);
  const logger = new ServiceLogger(environment);
  const adapter = await createHttpAdapter(environment);
  const app = await NestFactory.create(AppModule, adapter, { ...APPLICATION_OPTIONS, logger });
  configure(app);
  return app;
}

/** Adds the middleware, in order of execution. */
export function configure(app: INestApplication): void {
  const environment = app.get<Environment>(environmentConfig.KEY);
  const server = app.getHttpServer() as Server;
  // Replaces Fastify's own response.
  server.removeAllListeners('clientError').on('clientError', respondToMalformed);
  keepAllHeaders(server);
  const [log, metrics] = [app.get(RequestLog), app.get(ServiceMetrics, { strict: false })];
  app.use(
    requestContext((request) => {
      log.write(request);
      metrics.observe(request);
    }),
  );
  // Without TLS, upgraded requests of the /docs page would fail.
  app.use(helmet({ contentSecurityPolicy: { directives: { upgradeInsecureRequests: null } } }));
  app.use(requestHeaders);
  app.use(crossSite);
  app.use(requestShape);
  readJsonBodies(app, environment);
  if (environment.DOCS === 'on') serveOpenApi(app);
}
