import { afterAll, beforeAll } from '@jest/globals';
import { PostgresSessionStorage } from 'nestjs-distributed-session/postgres';
import { describeSessionStorage } from 'nestjs-distributed-session/testing';
import { Client } from 'pg';
import { PostgresServer } from '@distributed-session/test-servers/postgres/postgres-server.js';
import { HOSTILE_SETTINGS, changeSettings, createHostileRole } from '../support/postgres/hostile-settings.js';
import { postgresFixture } from '../support/postgres/postgres-fixture.js';

let server: PostgresServer;
let owner: Client;
let url: string;

beforeAll(async () => {
  server = await PostgresServer.start();
  url = await createHostileRole(server);
  const storage = new PostgresSessionStorage({ url });
  await storage.connect();
  await storage.close();
  owner = new Client({ connectionString: url });
  await owner.connect();
  await changeSettings(server, HOSTILE_SETTINGS);
});

afterAll(async () => {
  await owner.end();
  await server.stop();
});

describeSessionStorage(
  'PostgresSessionStorage as a role with hostile settings',
  postgresFixture(() => ({ options: { url }, query: async (text) => owner.query(text) })),
  { severalInstances: true },
);
