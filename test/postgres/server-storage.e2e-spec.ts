import { PostgresSessionStorage } from 'nestjs-distributed-session/postgres';
import { PostgresServer } from '@distributed-session/test-servers/postgres/postgres-server.js';
import { describeServerStorage } from '../server-storage-suite/describe-server-storage.js';
import { openPostgresPair } from '../support/postgres/postgres-storage-pair.js';
import type { StorageOperation } from '../support/storage/storage-calls.js';

const STATEMENTS: Record<StorageOperation, string> = {
  create: 'create-session',
  replace: 'replace-session',
  touch: 'touch-sessions',
  rotate: 'rotate-session',
  end: 'end-session',
  endAll: 'end-login-sessions',
  sweep: 'sweep-sessions',
  put: 'put-service',
  addSecret: 'add-service-secret',
  renewHash: 'renew-secret-hash',
  endSecret: 'end-service-secret',
  recordUse: 'record-service-use',
  remove: 'remove-service',
};

describeServerStorage('PostgresSessionStorage', {
  start: (options) => PostgresServer.start({ ...options, settings: { log_statement: 'all' } }),
  newStorage: (server, { host, port }, options) => {
    const url = new URL(server.url);
    url.host = `${host}:${port}`;
    return new PostgresSessionStorage({ ...options, url: url.href });
  },
  pair: (server, { callsAtOnce = 10, ...options }) =>
    openPostgresPair(server, { ...options, options: { max: callsAtOnce } }),
  requestOf: (operation) => `:${STATEMENTS[operation]}:`,
  countRequests: async (server, operation) => {
    const statements = await server.statementsOf('proxied');
    return statements.filter(({ preparedAs }) => preparedAs?.includes(`:${STATEMENTS[operation]}:`)).length;
  },
  connections: async (server) => {
    const clients =
      "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()";
    return (await server.query<{ pid: number }>(clients)).map(({ pid }) => String(pid));
  },
  endFeeds: (server) => {
    const feeds = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE '%(change feed)'";
    return server.query(feeds);
  },
  // A feed also waits for the replies to its own heartbeats.
  feedReceives: ['both', 'down', 'up'],
  // Functions are part of the schema: a call never takes a further round trip.
  forgetScripts: async () => {},
  // The pool opens a connection when a call requires one.
  failsFast: false,
});
