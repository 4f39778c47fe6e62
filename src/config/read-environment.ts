import { registerAs } from '@nestjs/config';
import { plainToInstance } from 'class-transformer';
import { validateSync } from 'class-validator';
import { Environment, SECRET_VARIABLES } from './environment.js';
import { productionErrors } from './production-rules.js';
import { readSecretFile } from './secret-files.js';
import { withSealedSecrets } from './sealed-secrets.js';

/** Variables of earlier builds, and what replaces them. */
const REMOVED = [['ACCEPTED_TOKEN_KEYS', 'append its keys to TOKEN_KEY, separated by spaces']] as const;

type Variables = Readonly<Record<string, string | undefined>>;

/** The environment variables are invalid, so the service cannot start. */
export class EnvironmentError extends Error {
  constructor(
    /** A sentence for every error. */
    readonly errors: readonly string[],
  ) {
    super(`The session service cannot start:\n${errors.map((error) => `  - ${error}.`).join('\n')}`);
    this.name = EnvironmentError.name;
  }
}

/** Provides the validated environment: `@Inject(environmentConfig.KEY) environment: Environment`. */
export const environmentConfig = registerAs('environment', () => readEnvironment(process.env));

/**
 * Reads and validates the environment variables.
 *
 * @throws {EnvironmentError} when variables are invalid, with all errors at once.
 */
export function readEnvironment(variables: Variables): Environment {
  const { given, errors } = withFiles(variables);
  const environment = plainToInstance(Environment, given, {
    enableImplicitConversion: true,
    exposeDefaultValues: true,
  });
  for (const { constraints } of validateSync(environment)) errors.push(...Object.values(constraints ?? {}));
  errors.push(...productionErrors(environment));
  if (errors.length > 0) throw new EnvironmentError(errors);
  return Object.freeze(withSealedSecrets(environment));
}

/** Returns the known variables that are set, including those from files. */
function withFiles(variables: Variables): { given: Record<string, string>; errors: string[] } {
  const given: Record<string, string> = {};
  const errors = REMOVED.filter(([name]) => isGiven(variables[name]) || isGiven(variables[`${name}_FILE`])).map(
    ([name, wayOut]) => `${name} is no longer read; ${wayOut}`,
  );
  for (const name of Object.keys(new Environment())) {
    const value = variables[name];
    if (isGiven(value)) given[name] = value;
  }
  for (const name of SECRET_VARIABLES) {
    const path = variables[`${name}_FILE`];
    if (!isGiven(path)) continue;
    if (given[name] !== undefined) {
      errors.push(`${name} and ${name}_FILE are both set; set only one of them`);
      continue;
    }
    try {
      given[name] = readSecretFile(path);
    } catch (error) {
      errors.push(`${name}_FILE names a file that cannot be read (${(error as NodeJS.ErrnoException).code})`);
    }
  }
  return { given, errors };
}

function isGiven(value: string | undefined): value is string {
  return value !== undefined && value.trim() !== '';
}
