import { readFileSync } from 'node:fs';
import { plainToInstance } from 'class-transformer';
import { validateSync } from 'class-validator';
import { EnvironmentError } from './environment.error.js';
import { Environment, SECRET_VARIABLES } from './environment.js';
import { productionFaults } from './production-rules.js';

type Variables = Readonly<Record<string, string | undefined>>;

/** The environment of the service after its check; throws {@link EnvironmentError} with every fault at once. */
export function readEnvironment(variables: Variables): Environment {
  const { given, faults } = withFiles(variables);
  const environment = plainToInstance(Environment, given, {
    enableImplicitConversion: true,
    exposeDefaultValues: true,
  });
  for (const { constraints } of validateSync(environment)) faults.push(...Object.values(constraints ?? {}));
  faults.push(...productionFaults(environment));
  if (faults.length > 0) throw new EnvironmentError(faults);
  return Object.freeze(environment);
}

/** The variables that the service knows and that are set, with those that come from files. */
function withFiles(variables: Variables): { given: Record<string, string>; faults: string[] } {
  const given: Record<string, string> = {};
  const faults: string[] = [];
  for (const name of Object.keys(new Environment())) {
    const value = variables[name];
    if (isGiven(value)) given[name] = value;
  }
  for (const name of SECRET_VARIABLES) {
    const path = variables[`${name}_FILE`];
    if (!isGiven(path)) continue;
    if (given[name] !== undefined) {
      faults.push(`${name} and ${name}_FILE are both set; set one of them`);
      continue;
    }
    try {
      given[name] = readFileSync(path, 'utf8').replace(/\r?\n$/, '');
    } catch (error) {
      faults.push(`${name}_FILE names a file that cannot be read: ${path} (${(error as NodeJS.ErrnoException).code})`);
    }
  }
  return { given, faults };
}

function isGiven(value: string | undefined): value is string {
  return value !== undefined && value.trim() !== '';
}
