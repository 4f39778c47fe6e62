import { COUNT_SHARDS } from '../../functions/login.functions.js';

/**
 * Live sessions and tombstones. Times are epoch milliseconds of the server's clock. Columns that every access changes are
 * in no index, so that PostgreSQL can update a row in place (HOT), in the room that `fillfactor` leaves. `sweep_at` is
 * when a sweep examines the row: of a live session at its expiry or earlier (an access moves the expiry only; the sweep
 * then sets a new time), of a tombstone at the end of its retention.
 */
export const sessionsMigration = {
  version: 1,
  name: 'sessions',
  oldest: { schema: 1, release: '0.1.0' },
  statements: [
    'CREATE SEQUENCE {session_place}',
    `CREATE TABLE {session} (
  session_id uuid CONSTRAINT {constraint:session_pkey} PRIMARY KEY,
  login_id text COLLATE "C" NOT NULL,
  service_id text NOT NULL,
  device text,
  version integer NOT NULL CONSTRAINT {constraint:session_version} CHECK (version >= 1),
  place bigint NOT NULL DEFAULT nextval('{session_place}'),
  created_at bigint NOT NULL,
  last_accessed_at bigint NOT NULL,
  idle_timeout_ms bigint,
  absolute_expires_at bigint,
  expires_at bigint NOT NULL,
  sweep_at bigint NOT NULL,
  payload bytea,
  ended_at bigint,
  reason text,
  ended_by text,
  actor text,
  rotated_to uuid,
  grace_ends_at bigint,
  CONSTRAINT {constraint:session_live_or_ended} CHECK (
    CASE WHEN ended_at IS NULL
      THEN payload IS NOT NULL AND coalesce(reason, ended_by, actor) IS NULL AND rotated_to IS NULL
      ELSE payload IS NULL AND reason IS NOT NULL AND ended_by IS NOT NULL
        AND (reason = 'rotated') = (rotated_to IS NOT NULL) AND (rotated_to IS NULL) = (grace_ends_at IS NULL)
    END)
) WITH (fillfactor = 75, autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.05)`,
    `COMMENT ON TABLE {session} IS
  'Live sessions, and the tombstones of ended ones. Times are epoch milliseconds: to_timestamp(created_at / 1000.0).'`,
    'CREATE INDEX {index:session_live_by_login} ON {session} (login_id, place) WHERE ended_at IS NULL',
    'CREATE INDEX {index:session_live_by_sweep} ON {session} (sweep_at) WHERE ended_at IS NULL',
    'CREATE INDEX {index:session_ended_by_login} ON {session} (login_id, ended_at, place) WHERE ended_at IS NOT NULL',
    'CREATE INDEX {index:session_ended_by_sweep} ON {session} (sweep_at) WHERE ended_at IS NOT NULL',
    `CREATE TABLE {session_count} (
  shard smallint CONSTRAINT {constraint:session_count_pkey} PRIMARY KEY,
  sessions bigint NOT NULL DEFAULT 0,
  logins bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 10, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000)`,
    // Changes that were committed and not published yet. Nearly empty, and always read as a whole: an index would only grow.
    `CREATE TABLE {session_change} (
  number bigint GENERATED ALWAYS AS IDENTITY,
  change text NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000, vacuum_truncate = off)`,
    `INSERT INTO {session_count} (shard) SELECT generate_series(0, ${COUNT_SHARDS - 1})`,
  ],
};
