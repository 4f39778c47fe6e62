import { StorageContext } from '../storage-context.js';
import type { CreateStorageFixture, StorageCapabilities } from '../storage-fixture.js';
import { type TestRunner, globalRunner } from '../test-runner.js';
import { describeChangeFeed } from './change-feed.topic.js';
import { describeCounts } from './counts.topic.js';
import { describeEndings } from './endings.topic.js';
import { describeExpiry } from './expiry.topic.js';
import { describeInterleavings } from './interleavings.topic.js';
import { describeLifecycle } from './lifecycle.topic.js';
import { describeLimits } from './limits.topic.js';
import { describeListing } from './listing.topic.js';
import { describeRecords } from './records.topic.js';
import { describeRotation } from './rotation.topic.js';
import { describeSecretHashes } from './secret-hashes.topic.js';
import { describeServiceCredentials } from './service-credentials.topic.js';
import { describeTokenDigests } from './token-digests.topic.js';
import { describeUnreadableRecords } from './unreadable-records.topic.js';

/**
 * Checks that a storage, by itself, fulfils the contract of `SessionStorage`. Run it on every driver, every wrapper and
 * every way to connect.
 *
 * @param name - The subject of the titles: `<name> fulfils the storage contract`.
 * @param create - Creates a fixture, which the suite connects, closes and disposes of.
 * @param capabilities - What the fixture can do beyond the minimum; each adds cases.
 * @param runner - The test functions. Defaults to the global ones of Jest, or of Vitest with globals.
 * @example
 * describeSessionStorage('MyStorage', () => ({ storage: new MyStorage(freshDatabase()) }));
 */
export function describeSessionStorage(
  name: string,
  create: CreateStorageFixture,
  capabilities: StorageCapabilities = {},
  runner: TestRunner = globalRunner(),
): void {
  runner.describe(`${name} fulfils the storage contract`, () => {
    const context = new StorageContext(create, capabilities, runner);
    describeRecords(context);
    describeExpiry(context);
    describeLimits(context);
    describeEndings(context);
    describeRotation(context);
    describeTokenDigests(context);
    describeListing(context);
    describeCounts(context);
    describeChangeFeed(context);
    describeLifecycle(context);
    describeServiceCredentials(context);
    describeSecretHashes(context);
    describeUnreadableRecords(context);
    describeInterleavings(context);
  });
}
