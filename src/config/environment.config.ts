import { registerAs } from '@nestjs/config';
import { readEnvironment } from './read-environment.js';

/**
 * The environment as `@nestjs/config` provides it: one typed object, injected by
 * `@Inject(environmentConfig.KEY) environment: Environment`.
 */
export const environmentConfig = registerAs('environment', () => readEnvironment(process.env));
