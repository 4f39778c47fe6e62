import { afterAll, beforeAll } from '@jest/globals';
import { describeSessionStorage } from 'nestjs-distributed-session/testing';
import { grantRoles, urlOf } from '../support/postgres/granted-roles.js';
import { postgresFixture } from '../support/postgres/postgres-fixture.js';
import { PostgresServer } from '@distributed-session/test-servers/postgres/postgres-server.js';

let server: PostgresServer;

beforeAll(async () => {
  // Each case opens connections, whose passwords would take a good part of its time.
  server = await PostgresServer.start({ hba: 'host all all 127.0.0.1/32 trust' });
  await grantRoles(server);
});

afterAll(async () => {
  await server.stop();
});

describeSessionStorage(
  'PostgresSessionStorage as a user with no more rights than docs/postgres-grants/read-write.sql gives',
  postgresFixture(() => ({
    options: { url: urlOf(server, 'read-write'), migrate: 'check', options: { max: 5 } },
    query: async (text) => server.query(text),
    dump: async () => server.dump(),
  })),
  { severalInstances: true, dump: true },
);
