import type { StorageTestContext } from '../storage-test-context.js';
export function describeInterleavings(_context: StorageTestContext): void {}
