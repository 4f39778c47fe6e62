import '../model/module-format.js';
export { FakeClock } from './fake-clock.js';
export { describeManagerOn } from './manager-suite/describe-manager-on.js';
export { describeSessionStorage } from './storage-suite/describe-session-storage.js';
export type { CreateStorageFixture, StorageCapabilities, StorageFixture } from './storage-fixture.js';
export type { TestRunner } from './test-runner.js';
