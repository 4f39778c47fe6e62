import type { SessionStorage } from 'nestjs-distributed-session';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import { settle } from '../support/storage/settled-call.js';

/**
 * Opens the connections of a storage that uses several, so that this many calls in flight do not wait for one. The calls
 * of the first round may share the connections that open first; the second round finds all of them open.
 */
export async function openConnections(storage: SessionStorage, count: number): Promise<void> {
  const isRoundRead = async () => {
    const reads = Array.from({ length: count }, () => settle(() => storage.get(storage.nextSessionId('nobody'))));
    return (await Promise.all(reads)).every(({ outcome }) => outcome === 'read');
  };
  await eventually(isRoundRead);
  await eventually(isRoundRead);
}
