import { ConfigModule } from '@nestjs/config';
import { Administrator } from './administrator/administrator.js';
import { firstSteps } from './administrator/first-steps.js';
import { environmentConfig } from './config/environment.config.js';
import { EnvironmentError } from './config/environment.error.js';
import { urlOf } from './http/server-url.js';
import { createSessionService } from './session-service.js';

try {
  await ConfigModule.envVariablesLoaded;
  const environment = environmentConfig();
  const app = await createSessionService(environment);
  await app.listen(environment.PORT, environment.host);
  const url = urlOf(app);
  if (!environment.isProduction) console.log(firstSteps(url, environment, app.get(Administrator).generatedSecret));
} catch (error) {
  console.error(error instanceof EnvironmentError ? error.message : error);
  process.exitCode = 1;
}
