/**
 * What each tier of the tests runs. `TEST_TIER` selects one; without it, Jest runs the files that it is given.
 *
 * | tier    | command             | covers                                                               |
 * | ------- | ------------------- | -------------------------------------------------------------------- |
 * | fast    | `npm run test:fast` | what needs neither a build nor a server: no checks, no services      |
 * | default | `npm test`          | the checks, and all behaviour on one server of each kind, on Express |
 * | full    | `npm run test:full` | everything                                                           |
 *
 * Tests that cover more in the full tier ask `isFullTier` in `test/support/tier.ts`.
 *
 * @typedef {'fast' | 'default' | 'full'} Tier
 */

/** Needs a server, a build, the network or the compiler. */
const NOT_FAST = [
  '/test/redis/',
  '/test/postgres/',
  '/test/session-service/',
  '/test/(applications|demo|documentation|installation|package|processes|secrets-in-dumps|start-scripts|tracing|two-versions)',
  '/tools/',
];

/** Several servers of a kind, other engines, many rows, processes or installations, and the tests of the test tools. */
const FULL_ONLY = [
  '/test/redis/.*(cluster|sentinel|storage-tag-keys)',
  '/test/postgres/.*(failover|pglite|plans|hostile-storage|pooled|pooler-faults)',
  '/test/(applications|demo-stores|installation|package-(?:formats|jest)|processes|two-versions)',
  '/tools/',
];

/** The patterns of the files that a tier leaves out. @type {Readonly<Record<Tier, readonly string[]>>} */
const LEFT_OUT = { fast: NOT_FAST, default: FULL_ONLY, full: [] };

/** What a tier leaves out, for the closing lines of its run. @type {Readonly<Record<Tier, string>>} */
export const NOTES = {
  fast: '`npm test` adds the checks, the session service, Redis, PostgreSQL, the demo and the package.',
  default:
    '`npm run test:full` adds Fastify, Sentinel, Cluster, two tag keys, PGlite, PgBouncer, failover, query plans, processes, two versions on one store, installations, applications of `nest new`, ioredis 5, Valkey, Node 22 and 24, the demo on stores and the test tools.',
  full: 'Nothing was left out.',
};

const selected = process.env['TEST_TIER'];

/** The patterns of the files that the selected tier leaves out. */
export const leftOut = selected === undefined ? [] : LEFT_OUT[tierNamed(selected)];

/** What the full tier also runs on ioredis 5: both suites, and the tests whose result depends on the client. */
const ON_IOREDIS_5 = [
  'libs/*/src/storage/redis/**/*.spec.ts',
  'test/redis/{storage,server-storage,manager}*.e2e-spec.ts',
  'test/redis/{client-options,other-client,abandoned-handshake,faults-start,faults-restart,verified-start,reported-problems}.e2e-spec.ts',
  'test/redis/{cluster,sentinel}-{feed,freeze,kill,migration}.e2e-spec.ts',
];

/** What the full tier also runs on Valkey. */
const ON_VALKEY = ['test/redis/{valkey,storage,server-storage,manager,rights,expiry,faults-start}*.e2e-spec.ts'];

/** The globs of the files that the selected tier also runs on another client or server. */
export const { onIoredis5, onValkey } =
  selected === 'full' ? { onIoredis5: ON_IOREDIS_5, onValkey: ON_VALKEY } : { onIoredis5: [], onValkey: [] };

/** Whether the selected tier needs servers. */
export const needsServers = selected !== 'fast';

/**
 * @param {string} name
 * @returns {Tier}
 */
export function tierNamed(name) {
  if (Object.hasOwn(LEFT_OUT, name)) return /** @type {Tier} */ (name);
  throw new Error(`Unknown tier "${name}" in TEST_TIER. The tiers are ${Object.keys(LEFT_OUT).join(', ')}.`);
}
