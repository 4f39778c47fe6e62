import { afterAll, afterEach, beforeAll, describe } from '@jest/globals';
import { describeBlackHole } from './black-hole.topic.js';
import { describeEventLoopStall } from './event-loop-stall.topic.js';
import { describeFeedInterruptions } from './feed-interruptions.topic.js';
import { describeLostReplies } from './lost-replies.topic.js';
import { describeOpeningAndClosing } from './opening-and-closing.topic.js';
import { describeProcessClock } from './process-clock.topic.js';
import type { ServerStorageContext, ServerStorageTarget, StorageServer } from './server-storage-target.js';
import { describeSlowNetwork } from './slow-network.topic.js';
import { useStoragePair } from '../support/storage/storage-pair.js';

/** Describes what every storage on a server guarantees when the server or the network fails. */
export function describeServerStorage<Server extends StorageServer>(
  name: string,
  target: ServerStorageTarget<Server>,
): void {
  describe(`${name} over a network`, () => {
    let server: Server;

    beforeAll(async () => {
      server = await target.start();
    });
    afterEach(() => server.resume());
    afterAll(() => server.stop());

    const context: ServerStorageContext = {
      get server() {
        return server;
      },
      target,
      countRequests: (operation) => target.countRequests(server, operation),
      startServer: (port) => target.start({ port }),
      newStorage: (address, options) => target.newStorage(server, address, options),
      connections: () => target.connections(server),
      endFeeds: () => target.endFeeds(server),
      forgetScripts: () => target.forgetScripts(server),
      usePair: (options) => useStoragePair(() => target.pair(server, options)),
    };
    describeOpeningAndClosing(context);
    describeLostReplies(context);
    describeBlackHole(context);
    describeSlowNetwork(context);
    describeFeedInterruptions(context);
    describeEventLoopStall(context);
    describeProcessClock(context);
  });
}
