import { StorageContext } from '../storage-context.js';
import type { CreateStorageFixture, StorageCapabilities } from '../storage-fixture.js';
import { type TestRunner, globalRunner } from '../test-runner.js';
import { describeAttributeAccess } from './attribute-access.topic.js';
import { describeAttributes } from './attributes.topic.js';
import { describeBadInput } from './bad-input.topic.js';
import { describeCeilings } from './ceilings.topic.js';
import { describeConcurrency } from './concurrency.topic.js';
import { describeKeyChanges } from './key-changes.topic.js';
import { describePermissions } from './permissions.topic.js';
import { describeManagedRotation } from './rotation.topic.js';
import { describeScheduling } from './scheduling.topic.js';
import { describeServices } from './services.topic.js';
import { describeSessions } from './sessions.topic.js';
import { describeStoredSecrets } from './stored-secrets.topic.js';
import { describeTokens } from './tokens.topic.js';
import { describeUnreadableSessions } from './unreadable-sessions.topic.js';

/**
 * Checks that a `DistributedSessionManager` keeps its promises on a storage. Run it once per driver, after
 * `describeSessionStorage()`: a storage that fulfils the contract passes it however it is connected.
 *
 * @param name - The storage's name in the titles: `DistributedSessionManager on <name>`.
 * @param create - Creates a fixture, which the suite connects, closes and disposes of.
 * @param capabilities - What the fixture can do beyond the minimum; each adds cases.
 * @param runner - The test functions. Defaults to the global ones of Jest, or of Vitest with globals.
 * @example
 * describeManagerOn('MyStorage', () => ({ storage: new MyStorage(freshDatabase()) }));
 */
export function describeManagerOn(
  name: string,
  create: CreateStorageFixture,
  capabilities: StorageCapabilities = {},
  runner: TestRunner = globalRunner(),
): void {
  runner.describe(`DistributedSessionManager on ${name}`, () => {
    const context = new StorageContext(create, capabilities, runner);
    describeSessions(context);
    describeTokens(context);
    describeManagedRotation(context);
    describeAttributes(context);
    describeServices(context);
    describePermissions(context);
    describeAttributeAccess(context);
    describeCeilings(context);
    describeBadInput(context);
    describeUnreadableSessions(context);
    describeStoredSecrets(context);
    describeKeyChanges(context);
    describeConcurrency(context);
    describeScheduling(context);
  });
}
