import { describeBadInput } from './suites/bad-input.suite.js';
import { describeChangeFeed } from './suites/change-feed.suite.js';
import { describeConcurrency } from './suites/concurrency.suite.js';
import { describeCounts } from './suites/counts.suite.js';
import { describeEndings } from './suites/endings.suite.js';
import { describeExpiry } from './suites/expiry.suite.js';
import { describeInterleavings } from './suites/interleavings.suite.js';
import { describeLifecycle } from './suites/lifecycle.suite.js';
import { describeLimits } from './suites/limits.suite.js';
import { describeListing } from './suites/listing.suite.js';
import { describeManagedAttributes } from './suites/managed-attributes.suite.js';
import { describeManagedServices } from './suites/managed-services.suite.js';
import { describeManagedSessions } from './suites/managed-sessions.suite.js';
import { describePermissions } from './suites/permissions.suite.js';
import { describeRecords } from './suites/records.suite.js';
import { describeRotation } from './suites/rotation.suite.js';
import { describeStoredSecrets } from './suites/stored-secrets.suite.js';
import { describeServiceCredentials } from './suites/service-credentials.suite.js';
import { type CreateStorageFixture, type StorageCapabilities, StorageTestContext } from './storage-test-context.js';
import { type TestRunner, globalRunner } from './test-runner.js';

/**
 * Checks that a storage keeps the contract of `SessionStorage`, by itself and under a `DistributedSessionManager`.
 *
 * `create` is called before each test and gives an empty storage, which the suite connects and closes; the fixture is
 * disposed of after that. `capabilities` says what the fixture can do beyond that: it adds tests, and none is ever
 * skipped. The test functions are the global ones (Jest, Vitest with globals), or those given, such as node:test's.
 *
 * @example
 * describeSessionStorage('my storage', () => ({ storage: new MyStorage(freshDatabase()) }));
 */
export function describeSessionStorage(
  name: string,
  create: CreateStorageFixture,
  capabilities: StorageCapabilities = {},
  runner: TestRunner = globalRunner(),
): void {
  runner.describe(`${name} keeps the contract of SessionStorage`, () => {
    const context = new StorageTestContext(create, capabilities, runner);
    for (const describeTopic of [
      describeRecords,
      describeExpiry,
      describeLimits,
      describeEndings,
      describeRotation,
      describeListing,
      describeCounts,
      describeChangeFeed,
      describeLifecycle,
      describeServiceCredentials,
      describeManagedSessions,
      describeManagedAttributes,
      describeManagedServices,
      describePermissions,
      describeBadInput,
      describeStoredSecrets,
      describeConcurrency,
      describeInterleavings,
    ]) {
      describeTopic(context);
    }
  });
}
