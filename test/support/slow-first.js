/**
 * The files that take longest, in the order in which they begin. Those that mostly wait for servers stand beside those
 * that use a whole core, so that neither core is idle, and none is left over for the end.
 */
const SLOWEST = [
  'postgres/contract-pglite.e2e-spec.ts',
  'redis/contract-cluster.e2e-spec.ts',
  'postgres/contract.e2e-spec.ts',
  'test/package.e2e-spec.ts',
  'redis/contract-sentinel.e2e-spec.ts',
  'redis/expiry.e2e-spec.ts',
  'redis/contract-standalone.e2e-spec.ts',
  'test/demo.e2e-spec.ts',
  'test/demo-stores.e2e-spec.ts',
  'postgres/plans.e2e-spec.ts',
  'redis/contract-acl.e2e-spec.ts',
  'session-service/start.e2e-spec.ts',
  'in-memory/in-memory-session-storage.spec.ts',
  'test/history-checker.e2e-spec.ts',
];

/** @typedef {{ readonly path: string }} TestFile */

/**
 * The order in which Jest begins the files: the same on every machine, whatever ran there before. After the slowest,
 * those on servers, of which most wait for something, take turns with those that use a whole core.
 */
export default class SlowFirst {
  /**
   * @template {TestFile} T
   * @param {readonly T[]} tests
   * @returns {T[]}
   */
  sort(tests) {
    const byPath = tests.toSorted((a, b) => a.path.localeCompare(b.path));
    const slowest = byPath.filter((test) => placeOf(test) >= 0).toSorted((a, b) => placeOf(a) - placeOf(b));
    const others = byPath.filter((test) => placeOf(test) < 0);
    return [
      ...slowest,
      ...inTurns(
        others.filter(isOnServers),
        others.filter((test) => !isOnServers(test)),
      ),
    ];
  }

  /** Jest tells how long each took, to be used the next time. */
  cacheResults() {}
}

/** @param {TestFile} test */
function placeOf({ path }) {
  return SLOWEST.findIndex((name) => path.endsWith(`/${name}`));
}

/** @param {TestFile} test */
function isOnServers({ path }) {
  return /\/test\/(redis|postgres)\//.test(path);
}

/**
 * The items of both lists in their order, those of each spread evenly.
 *
 * @template T
 * @param {readonly T[]} some
 * @param {readonly T[]} others
 * @returns {T[]}
 */
function inTurns(some, others) {
  return [...placed(some), ...placed(others)].toSorted((a, b) => a.at - b.at).map(({ item }) => item);
}

/**
 * Each item with its place in the list, from 0 to 1.
 *
 * @template T
 * @param {readonly T[]} list
 */
function placed(list) {
  return list.map((item, n) => ({ item, at: (n + 0.5) / list.length }));
}
