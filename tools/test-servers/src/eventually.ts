const PATIENCE_MS = 20_000;

/** Resolves once the condition holds; rejects if it does not in 20 seconds, so that no test waits behind its own end. */
export async function eventually(holds: () => boolean | Promise<boolean>): Promise<void> {
  const endsAt = performance.now() + PATIENCE_MS;
  while (!(await holds())) {
    if (performance.now() > endsAt) throw new Error(`It never held: ${String(holds)}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
