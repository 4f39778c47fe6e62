/**
 * The slowest files, in the order in which they start. Files that mostly wait for servers alternate with files that use a
 * whole core, so that both cores are busy until the end.
 */
const SLOWEST = [
  'test/applications.e2e-spec.ts',
  'test/installation.e2e-spec.ts',
  'test/package-formats.e2e-spec.ts',
  'test/package-peers.e2e-spec.ts',
  'test/two-versions.e2e-spec.ts',
  'postgres/storage-pglite.e2e-spec.ts',
  'redis/storage-cluster.e2e-spec.ts',
  'postgres/manager.e2e-spec.ts',
  'test/package.e2e-spec.ts',
  'redis/storage-sentinel.e2e-spec.ts',
  'postgres/storage.e2e-spec.ts',
  'redis/manager.e2e-spec.ts',
  'test/demo.e2e-spec.ts',
  'test/demo-stores.e2e-spec.ts',
  'redis/expiry.e2e-spec.ts',
  'postgres/plans.e2e-spec.ts',
  'redis/storage.e2e-spec.ts',
  'session-service/program.e2e-spec.ts',
  'in-memory/in-memory-session-storage.spec.ts',
  'test/history-checker.e2e-spec.ts',
];

/** @typedef {{ readonly path: string }} TestFile */

/** Sorts the files in the same order on every machine, regardless of earlier runs. */
export default class SlowFirst {
  /**
   * @template {TestFile} T
   * @param {readonly T[]} tests
   * @returns {T[]}
   */
  sort(tests) {
    return tests.toSorted((a, b) => placeOf(a) - placeOf(b) || a.path.localeCompare(b.path));
  }

  /** Ignores the durations that Jest reports for the next run. */
  cacheResults() {}
}

/** @param {TestFile} test */
function placeOf({ path }) {
  const place = SLOWEST.findIndex((name) => path.endsWith(`/${name}`));
  if (place >= 0) return place;
  // Most files that use servers also wait for them.
  return SLOWEST.length + (/\/test\/(redis|postgres)\//.test(path) ? 0 : 1);
}
