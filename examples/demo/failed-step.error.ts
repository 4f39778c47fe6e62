/** A service did not answer as the story says. */
export class FailedStepError extends Error {
  constructor(step: number, request: string, answered: string, expected: string) {
    super(`Step ${step} failed: ${request}\n  answered: ${answered}\n  the story says: ${expected}`);
    this.name = FailedStepError.name;
  }
}
