import { type INestApplication, Logger } from '@nestjs/common';
import { ConfigModule } from '@nestjs/config';
import { Administrator } from './administrator/administrator.js';
import { firstSteps } from './administrator/first-steps.js';
import { environmentConfig } from './config/environment.config.js';
import { startFault } from './config/start-fault.js';
import { urlOf } from './http/server-url.js';
import { createSessionService } from './session-service.js';

let app: INestApplication | undefined;
try {
  await ConfigModule.envVariablesLoaded;
  const environment = environmentConfig();
  app = await createSessionService(environment);
  await app.listen(environment.PORT, environment.host);
  if (environment.isProduction) new Logger('SessionService').log(`Listening on ${urlOf(app)}`);
  else console.log(firstSteps(urlOf(app), environment, app.get(Administrator).generatedSecret));
} catch (error) {
  console.error(startFault(error));
  process.exitCode = 1;
  await app?.close();
}
