/**
 * The changes of the last minute, numbered in the order of their publication. Listeners read them from here: everyone may
 * listen and notify on a channel, but only granted users read and write a table. The newest row is never deleted, so the
 * numbers go on; the first row stands for all changes before this migration.
 */
export const changeFeedMigration = {
  version: 4,
  name: 'change-feed',
  oldest: { schema: 4, release: '0.1.0' },
  statements: [
    `CREATE TABLE {session_feed} (
  number bigint CONSTRAINT {constraint:session_feed_pkey} PRIMARY KEY,
  published_at bigint NOT NULL,
  change text NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, vacuum_truncate = off)`,
    `INSERT INTO {session_feed} (number, published_at, change) VALUES (0, 0, '{}')`,
  ],
};
