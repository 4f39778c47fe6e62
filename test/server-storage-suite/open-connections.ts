import type { SessionStorage } from 'nestjs-distributed-session';
import { CALLS_AT_ONCE } from './server-storage-target.js';

/**
 * Opens all connections of a storage that uses several, so that calls in flight do not wait for one. The calls of the
 * first round may share the connections that open first; the second round finds all of them open.
 */
export async function openConnections(storage: SessionStorage): Promise<void> {
  for (let round = 0; round < 2; round++) {
    await Promise.all(Array.from({ length: CALLS_AT_ONCE }, () => storage.get(storage.nextSessionId('nobody'))));
  }
}
