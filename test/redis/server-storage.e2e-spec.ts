import { RedisSessionStorage } from 'nestjs-distributed-session/redis';
import { RedisServer } from '@distributed-session/test-servers/redis/redis-server.js';
import { describeServerStorage } from '../server-storage-suite/describe-server-storage.js';
import { openRedisPair } from '../support/redis/redis-storage-pair.js';

describeServerStorage('RedisSessionStorage', {
  start: (options) => RedisServer.start(options),
  newStorage: (_server, { host, port }, options) =>
    new RedisSessionStorage({ ...options, url: `redis://${host}:${port}` }),
  // One connection carries any number of calls.
  pair: (server, { callsAtOnce: _any, ...options }) => openRedisPair(server, options),
  requestOf: () => 'evalsha',
  // Every write is a script, and nothing else runs scripts while a test counts them.
  countRequests: async (server) => {
    const { evalsha = 0, eval: uncached = 0 } = await server.commandCounts();
    return evalsha + uncached;
  },
  connections: async (server) => {
    const clients = String(await server.call('CLIENT', 'LIST'))
      .trim()
      .split('\n');
    return clients.filter((client) => !client.includes(' cmd=client|list ')).map((client) => client.split(' ')[0]!);
  },
  endFeeds: (server) => server.call('CLIENT', 'KILL', 'TYPE', 'pubsub'),
  // Another process sends the heartbeats, if this one cannot.
  feedReceives: ['both', 'down'],
  forgetScripts: (server) => server.call('SCRIPT', 'FLUSH'),
  failsFast: true,
});
