import { afterAll, beforeAll } from '@jest/globals';
import { PGlite } from '@electric-sql/pglite';
import { pglitePool } from 'nestjs-distributed-session/postgres';
import { describeSessionStorage } from 'nestjs-distributed-session/testing';
import { postgresFixture } from '../support/postgres/postgres-fixture.js';

let database: PGlite;

beforeAll(async () => {
  database = await PGlite.create();
});

afterAll(async () => {
  await database.close();
});

describeSessionStorage(
  'PostgresSessionStorage on PGlite',
  postgresFixture(() => ({
    options: { pool: pglitePool(database) },
    query: async (text) => database.query(text),
  })),
  { severalInstances: true, unreadable: ['corrupt'] },
);
