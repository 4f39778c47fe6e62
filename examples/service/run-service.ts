import type { Type } from '@nestjs/common';
import { RemoteSessionsModule } from '../remote/remote-sessions.module.js';
import { startService } from './start-service.js';

/**
 * Runs a service as a process of its own, on the session service. From the environment it takes where that is
 * (`SESSION_SERVICE_URL`), its own credential (`SERVICE_ID`, `SERVICE_SECRET`), and `PORT`, by default a free one.
 */
export async function runService(service: Type): Promise<void> {
  const { SESSION_SERVICE_URL: url, SERVICE_ID: serviceId, SERVICE_SECRET: secret, PORT = '0' } = process.env;
  if (!url || !serviceId || !secret) {
    console.error(
      'Set SESSION_SERVICE_URL, and the SERVICE_ID and SERVICE_SECRET that this service is registered with.',
    );
    process.exitCode = 1;
    return;
  }
  const app = await startService(service, RemoteSessionsModule.forService({ serviceId, secret }, url), Number(PORT));
  app.enableShutdownHooks();
  console.log(`${serviceId} listens on ${await app.getUrl()}`);
}
