import { EnvironmentError, readEnvironment } from '../../src/config/read-environment.js';

/** What is wrong with these environment variables, a sentence for every error. */
export function errorsOf(variables: Record<string, string>): readonly string[] {
  try {
    readEnvironment(variables);
    return [];
  } catch (error) {
    if (error instanceof EnvironmentError) return error.errors;
    throw error;
  }
}
