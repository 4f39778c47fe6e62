/**
 * The files that take longest, in the order in which they begin. Those that mostly wait for servers stand beside those
 * that use a whole core, so that neither core is idle, and none is left over for the end.
 */
const SLOWEST = [
  'postgres/storage-pglite.e2e-spec.ts',
  'redis/storage-cluster.e2e-spec.ts',
  'postgres/storage.e2e-spec.ts',
  'test/package.e2e-spec.ts',
  'redis/storage-sentinel.e2e-spec.ts',
  'redis/expiry.e2e-spec.ts',
  'redis/storage.e2e-spec.ts',
  'test/demo.e2e-spec.ts',
  'test/demo-stores.e2e-spec.ts',
  'postgres/plans.e2e-spec.ts',
  'postgres/manager.e2e-spec.ts',
  'session-service/start.e2e-spec.ts',
  'in-memory/in-memory-session-storage.spec.ts',
  'test/history-checker.e2e-spec.ts',
];

/** @typedef {{ readonly path: string }} TestFile */

/** The order in which Jest begins the files: the same on every machine, whatever ran there before. */
export default class SlowFirst {
  /**
   * @template {TestFile} T
   * @param {readonly T[]} tests
   * @returns {T[]}
   */
  sort(tests) {
    return tests.toSorted((a, b) => placeOf(a) - placeOf(b) || a.path.localeCompare(b.path));
  }

  /** Jest tells how long each took, to be used the next time. */
  cacheResults() {}
}

/** @param {TestFile} test */
function placeOf({ path }) {
  const place = SLOWEST.findIndex((name) => path.endsWith(`/${name}`));
  if (place >= 0) return place;
  // Most of those on servers wait for something, too.
  return SLOWEST.length + (/\/test\/(redis|postgres)\//.test(path) ? 0 : 1);
}
