import { type DynamicModule, type INestApplication, type Type, ValidationPipe } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { DistributedSessionManager } from 'nestjs-distributed-session';
import { OWN_SESSIONS } from './shared-sessions.js';

/** Starts one of the services on these sessions. It listens on this machine only; port 0 takes a free one. */
export async function startService(service: Type, sessions: DynamicModule, port = 0): Promise<INestApplication> {
  const module: DynamicModule = {
    module: service,
    imports: [sessions],
    // What a module provides goes over what it imports: all code of the service, its guards included, gets the sessions
    // with the service's own permissions when it asks for the manager.
    providers: [{ provide: DistributedSessionManager, useExisting: OWN_SESSIONS }],
  };
  const app = await NestFactory.create(module, { logger: ['warn', 'error'], abortOnError: false });
  app.useGlobalPipes(new ValidationPipe({ whitelist: true }));
  await app.listen(port, '127.0.0.1');
  return app;
}
