/** The demo was started in a way that it cannot follow. Nothing has happened yet. */
export class DemoUsageError extends Error {
  constructor(
    message: string,
    /** What the process ends with. */
    readonly exitCode: number,
  ) {
    super(message);
    this.name = DemoUsageError.name;
  }
}
