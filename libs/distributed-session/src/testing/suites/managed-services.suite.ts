import type { StorageTestContext } from '../storage-test-context.js';
export function describeManagedServices(_context: StorageTestContext): void {}
