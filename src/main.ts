import { type INestApplication, Logger } from '@nestjs/common';
import { ConfigModule } from '@nestjs/config';
import { Administrator } from './administrator/administrator.js';
import { firstSteps } from './administrator/first-steps.js';
import { addressOf } from './config/listening-address.js';
import { environmentConfig } from './config/read-environment.js';
import { secretFileWarnings } from './config/secret-files.js';
import { describeStartError } from './config/start-error.js';
import { urlOf } from './http/http-adapter.js';
import { createSessionService } from './session-service.js';
import { StopSignals } from './shutdown/stop-signals.js';

const signals = new StopSignals();
let app: INestApplication | undefined;
try {
  await ConfigModule.envVariablesLoaded;
  const environment = environmentConfig();
  const address = await addressOf(environment);
  app = await createSessionService(environment);
  for (const warning of secretFileWarnings(process.env)) new Logger('SessionService').warn(warning);
  await app.listen(environment.PORT, address);
  signals.stop(app);
  if (environment.isProduction) new Logger('SessionService').log(`The session service is listening on ${urlOf(app)}.`);
  else console.log(firstSteps(urlOf(app), environment, app.get(Administrator).takeGeneratedSecret()));
} catch (error) {
  console.error(describeStartError(error));
  process.exitCode = 1;
  await app?.close();
}
