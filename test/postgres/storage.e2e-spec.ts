import { describeSessionStorage } from 'nestjs-distributed-session/testing';
import { restrictedPostgresFixture } from '../support/postgres/postgres-fixture.js';

describeSessionStorage('PostgresSessionStorage as a restricted user', restrictedPostgresFixture(), {
  severalInstances: true,
  unreadable: ['corrupt'],
});
