import type { StorageTestContext } from '../storage-test-context.js';
export function describeConcurrency(_context: StorageTestContext): void {}
