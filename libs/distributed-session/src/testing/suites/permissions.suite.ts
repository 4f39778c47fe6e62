import type { StorageTestContext } from '../storage-test-context.js';
export function describePermissions(_context: StorageTestContext): void {}
