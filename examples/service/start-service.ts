import { type DynamicModule, type INestApplication, type Type, ValidationPipe } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { DistributedSessionManager } from 'nestjs-distributed-session';
import { OWN_SESSIONS } from './shared-sessions.js';

/** Starts a service on the given sessions. It listens on loopback only; port 0 takes a free port. */
export async function startService(service: Type, sessions: DynamicModule, port = 0): Promise<INestApplication> {
  const module: DynamicModule = {
    module: service,
    imports: [sessions],
    // A module's providers override its imports: all code of the service, including its guards, injects the manager
    // with the service's permissions enforced.
    providers: [{ provide: DistributedSessionManager, useExisting: OWN_SESSIONS }],
  };
  const app = await NestFactory.create(module, { logger: ['warn', 'error'], abortOnError: false });
  app.useGlobalPipes(new ValidationPipe({ whitelist: true }));
  await app.listen(port, '127.0.0.1');
  return app;
}
