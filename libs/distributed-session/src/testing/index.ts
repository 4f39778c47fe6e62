export { FakeClock } from './fake-clock.js';
export { describeSessionStorage } from './describe-session-storage.js';
export type { CreateStorageFixture, StorageCapabilities, StorageFixture } from './storage-test-context.js';
export type { TestRunner } from './test-runner.js';
