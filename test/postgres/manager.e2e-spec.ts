import { describeManagerOn } from 'nestjs-distributed-session/testing';
import { restrictedPostgresFixture } from '../support/postgres/postgres-fixture.js';

describeManagerOn('PostgresSessionStorage as a restricted user', restrictedPostgresFixture(), { dump: true });
