import { type INestApplication, Logger } from '@nestjs/common';
import { ConfigModule } from '@nestjs/config';
import { Administrator } from './administrator/administrator.js';
import { firstSteps } from './administrator/first-steps.js';
import { environmentConfig } from './config/read-environment.js';
import { describeStartError } from './config/start-error.js';
import { urlOf } from './http/http-adapter.js';
import { createSessionService } from './session-service.js';

let app: INestApplication | undefined;
try {
  await ConfigModule.envVariablesLoaded;
  const environment = environmentConfig();
  app = await createSessionService(environment);
  await app.listen(environment.PORT, environment.host);
  if (environment.isProduction) new Logger('SessionService').log(`The session service is listening on ${urlOf(app)}.`);
  else console.log(firstSteps(urlOf(app), environment, app.get(Administrator).generatedSecret));
} catch (error) {
  console.error(describeStartError(error));
  process.exitCode = 1;
  await app?.close();
}
