import { describeManagerOn } from 'nestjs-distributed-session/testing';
import { sharedPoolFixture } from '../support/postgres/pooled-fixture.js';

describeManagerOn(
  'PostgresSessionStorage through PgBouncer in transaction mode, without a direct connection',
  sharedPoolFixture(() => ({ feedPollIntervalMs: 20 })),
  { dump: true },
);
