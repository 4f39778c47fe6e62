/**
 * The functions that the suites need from a test runner. Jest and Vitest have them under these names; node:test calls
 * the last one `after`.
 */
export interface TestRunner {
  readonly describe: (name: string, body: () => void) => unknown;
  readonly it: (name: string, body: () => Promise<void>) => unknown;
  readonly beforeEach: (body: () => Promise<void>) => unknown;
  readonly afterEach: (body: () => Promise<void>) => unknown;
  readonly afterAll: (body: () => Promise<void>) => unknown;
}

/** The test functions that the runner has made global. Throws if there are none. */
export function globalRunner(): TestRunner {
  const { describe, it, beforeEach, afterEach, afterAll } = globalThis as unknown as Partial<TestRunner>;
  if (describe && it && beforeEach && afterEach && afterAll) return { describe, it, beforeEach, afterEach, afterAll };
  throw new Error(
    'The test runner has no global describe, it, beforeEach, afterEach and afterAll: pass them as the last argument.',
  );
}
