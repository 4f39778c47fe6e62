const WAIT_LIMIT_MS = 20_000;

/** Resolves once the condition holds; rejects after 20 seconds, before the test itself times out. */
export async function eventually(holds: () => boolean | Promise<boolean>): Promise<void> {
  const endsAt = performance.now() + WAIT_LIMIT_MS;
  while (!(await holds())) {
    if (performance.now() > endsAt) throw new Error(`The condition did not hold within 20 seconds: ${String(holds)}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
