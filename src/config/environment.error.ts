/** The service cannot start with the environment that it was given. */
export class EnvironmentError extends Error {
  constructor(
    /** One sentence a fault. */
    readonly faults: readonly string[],
  ) {
    super(`The session service cannot start:\n${faults.map((fault) => `  - ${fault}.`).join('\n')}`);
    this.name = EnvironmentError.name;
  }
}
