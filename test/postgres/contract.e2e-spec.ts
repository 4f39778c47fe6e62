import { afterAll, beforeAll } from '@jest/globals';
import { describeSessionStorage } from 'nestjs-distributed-session/testing';
import { postgresFixture } from '../support/postgres/postgres-fixture.js';
import { PostgresServer } from '../support/postgres/postgres-server.js';

let server: PostgresServer;

beforeAll(async () => {
  server = await PostgresServer.start();
});

afterAll(async () => {
  await server.stop();
});

describeSessionStorage(
  'PostgresSessionStorage',
  postgresFixture(() => ({ server, options: { url: server.url } })),
  { severalInstances: true, dump: true },
);
