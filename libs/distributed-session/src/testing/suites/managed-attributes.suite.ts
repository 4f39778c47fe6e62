import type { StorageTestContext } from '../storage-test-context.js';
export function describeManagedAttributes(_context: StorageTestContext): void {}
