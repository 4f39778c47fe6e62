import type { Server } from 'node:http';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import type { RunningService } from './running-service.js';
import type { WatchedStorage } from './watched-storage.js';

/**
 * Sends requests at once while the storage holds back these calls, so that all of them are in flight before the first
 * one is carried out. Returns the answers.
 */
export async function sendConcurrently<Received>(
  { app, storage }: Pick<RunningService, 'app'> & { readonly storage: WatchedStorage },
  held: readonly string[],
  requests: readonly (() => Promise<Received>)[],
): Promise<Received[]> {
  const server = app.getHttpServer() as Server;
  let received = 0;
  const count = () => void received++;
  server.on('request', count);
  const carryOut = storage.hold(...held);
  const answering = Promise.all(requests.map((request) => request()));
  await eventually(() => received === requests.length);
  server.off('request', count);
  carryOut();
  return answering;
}
