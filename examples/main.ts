import { RemoteSessionsModule } from './remote/remote-sessions.module.js';
import { startService } from './service/start-service.js';
import { SERVICE_MODULES, SERVICE_NAMES, type ServiceName } from './services.js';

/**
 * `node main.js <user|order|pay>` runs one service as a separate process that uses the session service. The environment
 * contains that service's URL (`SESSION_SERVICE_URL`), this service's credential (`SERVICE_ID`, `SERVICE_SECRET`), and
 * `PORT`, by default a free one.
 */
async function main(name: string | undefined): Promise<void> {
  if (!isServiceName(name)) throw new Error(`Pass the name of a service: ${SERVICE_NAMES.join(', ')}.`);
  const { SESSION_SERVICE_URL: url, SERVICE_ID: serviceId, SERVICE_SECRET: secret, PORT = '0' } = process.env;
  if (!url || !serviceId || !secret) {
    throw new Error(
      'Set SESSION_SERVICE_URL, and the SERVICE_ID and SERVICE_SECRET that this service is registered with.',
    );
  }
  const sessions = RemoteSessionsModule.forService({ serviceId, secret }, url);
  const app = await startService(SERVICE_MODULES[name], sessions, Number(PORT));
  app.enableShutdownHooks();
  console.log(`${serviceId} listens on ${await app.getUrl()}`);
}

function isServiceName(name: string | undefined): name is ServiceName {
  return SERVICE_NAMES.some((known) => known === name);
}

await main(process.argv[2]).catch((error: unknown) => {
  console.error((error as Error).message);
  process.exitCode = 1;
});
