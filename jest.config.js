import { leftOut, needsServers, onIoredis5, onValkey } from './test/tiers.js';

/**
 * Packages of hundreds of modules that are also published as one file. Jest loads every module again for every test file;
 * these packages would be a third of all modules.
 */
const AS_ONE_FILE = {
  '^class-validator$': '<rootDir>/node_modules/class-validator/bundles/class-validator.umd.js',
  // Swagger's.
  '^(es-toolkit)/compat$': '<rootDir>/node_modules/$1/dist/browser.global.js',
  '^rxjs(?:/operators)?$': '<rootDir>/node_modules/rxjs/dist/bundles/rxjs.umd.js',
};

const MODULES = {
  '^(\\.{1,2}/.*)\\.js$': '$1',
  '^@distributed-session/([^/]+)/(.*)\\.js$': '<rootDir>/tools/$1/src/$2',
  ...AS_ONE_FILE,
};

/** Nest 12 is ESM-only, so Jest runs on real ES modules (`--experimental-vm-modules`) and SWC only strips the types. */
const main = {
  testEnvironment: 'node',
  testEnvironmentOptions: {
    // Tests import the library by its public names and see its TypeScript, not a build that may be stale.
    customExportConditions: ['@distributed-session/source', 'node', 'node-addons'],
  },
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: MODULES,
  transform: {
    // Configured by .swcrc, like the build.
    '^.+\\.ts$': '@swc/jest',
  },
  testMatch: [
    '<rootDir>/libs/*/src/**/*.spec.ts',
    '<rootDir>/src/**/*.spec.ts',
    '<rootDir>/{test,tools}/**/*.e2e-spec.ts',
  ],
  modulePathIgnorePatterns: ['/dist/', '/.tmp/'],
  testPathIgnorePatterns: ['/node_modules/', '/test/redis/valkey', ...leftOut],
  ...(needsServers && { globalSetup: '<rootDir>/tools/test-servers/src/install-servers.js' }),
  setupFiles: ['reflect-metadata'],
};

/** The tests of Redis once more, with both names of ioredis exchanged: the library runs on 5, `ioredis-5` is 6. */
const ioredis5 = {
  ...main,
  displayName: 'ioredis 5',
  moduleNameMapper: {
    ...MODULES,
    '^ioredis$': '<rootDir>/node_modules/ioredis-5',
    '^ioredis-5$': '<rootDir>/node_modules/ioredis',
  },
  testMatch: onIoredis5.map((pattern) => `<rootDir>/${pattern}`),
};

/** The tests of Redis once more, on Valkey. */
const valkey = {
  ...main,
  displayName: 'Valkey',
  globalSetup: '<rootDir>/tools/test-servers/src/redis/install-valkey.js',
  testPathIgnorePatterns: ['/node_modules/'],
  setupFiles: [...main.setupFiles, '<rootDir>/tools/test-servers/src/redis/use-valkey.js'],
  testMatch: onValkey.map((pattern) => `<rootDir>/${pattern}`),
};

const others = [ioredis5, valkey].filter(({ testMatch }) => testMatch.length > 0);

export default {
  ...main,
  ...(others.length > 0 && { projects: [main, ...others] }),
  testSequencer: '<rootDir>/test/support/slow-first.js',
  // Every file leaves modules behind. A new worker is faster than one that collects the garbage of all files.
  workerIdleMemoryLimit: '300MB',
  // For busy machines: a hanging test fails, a slow one does not.
  testTimeout: 60_000,
};
