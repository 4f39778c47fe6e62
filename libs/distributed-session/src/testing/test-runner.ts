/** What the suite needs of a test runner. Jest, Vitest and node:test all have it. */
export interface TestRunner {
  readonly describe: (name: string, body: () => void) => unknown;
  readonly it: (name: string, body: () => Promise<void>) => unknown;
  readonly beforeEach: (body: () => Promise<void>) => unknown;
  readonly afterEach: (body: () => Promise<void>) => unknown;
}

/** The functions that the runner has made global. */
export function globalRunner(): TestRunner {
  const { describe, it, beforeEach, afterEach } = globalThis as unknown as Partial<TestRunner>;
  if (describe && it && beforeEach && afterEach) return { describe, it, beforeEach, afterEach };
  throw new Error(
    'The test runner has no global describe, it, beforeEach and afterEach: pass them as the last argument.',
  );
}
