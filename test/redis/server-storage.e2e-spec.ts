import { RedisServer } from '@distributed-session/test-servers/redis/redis-server.js';
import { describeServerStorage } from '../server-storage-suite/describe-server-storage.js';
import { openRedisPair } from '../support/redis/redis-storage-pair.js';

describeServerStorage('RedisSessionStorage', {
  start: () => RedisServer.start(),
  // One connection carries any number of calls.
  pair: (server, { callsAtOnce: _any, ...options }) => openRedisPair(server, options),
  requestOf: () => 'evalsha',
  // Every write is a script, and nothing else runs scripts while a test counts them.
  countRequests: async (server) => {
    const { evalsha = 0, eval: uncached = 0 } = await server.commandCounts();
    return evalsha + uncached;
  },
  forgetScripts: (server) => server.call('SCRIPT', 'FLUSH'),
  failsFast: true,
});
