import type { StorageTestContext } from '../storage-test-context.js';
export function describeManagedSessions(_context: StorageTestContext): void {}
