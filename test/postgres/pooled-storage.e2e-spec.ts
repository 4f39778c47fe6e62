import { describeSessionStorage } from 'nestjs-distributed-session/testing';
import { sharedPoolFixture } from '../support/postgres/pooled-fixture.js';

describeSessionStorage(
  'PostgresSessionStorage through PgBouncer in transaction mode',
  sharedPoolFixture(({ direct }) => ({ feedUrl: direct })),
  { severalInstances: true },
);
