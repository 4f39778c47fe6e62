import { PostgresServer } from '@distributed-session/test-servers/postgres/postgres-server.js';
import { describeServerStorage } from '../server-storage-suite/describe-server-storage.js';
import { CALLS_AT_ONCE } from '../server-storage-suite/server-storage-target.js';
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
  endSecret: 'end-service-secret',
  recordUse: 'record-service-use',
  remove: 'remove-service',
};

describeServerStorage('PostgresSessionStorage', {
  start: () => PostgresServer.start({ settings: { log_statement: 'all' } }),
  pair: (server, options) => openPostgresPair(server, { ...options, options: { max: CALLS_AT_ONCE + 1 } }),
  requestOf: (operation) => `:${STATEMENTS[operation]}:`,
  countRequests: async (server, operation) => {
    const statements = await server.statementsOf('proxied');
    return statements.filter(({ preparedAs }) => preparedAs?.includes(`:${STATEMENTS[operation]}:`)).length;
  },
});
