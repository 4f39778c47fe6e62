import { afterAll, afterEach, beforeEach, describe, it } from '@jest/globals';
import { FakeClock } from '../../testing/fake-clock.js';
import { describeManagerOn } from '../../testing/manager-suite/describe-manager-on.js';
import { StorageContext } from '../../testing/storage-context.js';
import type { StorageFixture } from '../../testing/storage-fixture.js';
import { describeSessionStorage } from '../../testing/storage-suite/describe-session-storage.js';
import { describeExpiry } from '../../testing/storage-suite/expiry.topic.js';
import { describeLifecycle } from '../../testing/storage-suite/lifecycle.topic.js';
import { InMemorySessionStorage } from './in-memory-session-storage.js';

function onDrivenClock(): StorageFixture {
  const clock = new FakeClock();
  return { storage: new InMemorySessionStorage({ clock }), clock };
}

describeSessionStorage('InMemorySessionStorage', onDrivenClock, { drivenClock: true });

describeManagerOn('InMemorySessionStorage', onDrivenClock, { drivenClock: true });

// The other topics do not depend on the clock.
describe('InMemorySessionStorage on the system clock fulfils the storage contract', () => {
  const runner = { describe, it, beforeEach, afterEach, afterAll };
  const context = new StorageContext(() => ({ storage: new InMemorySessionStorage() }), {}, runner);
  describeExpiry(context);
  describeLifecycle(context);
});
