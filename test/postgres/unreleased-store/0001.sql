-- The schema as it was before the first release, at version 1. The bodies of functions do not matter: they are replaced.

CREATE TABLE IF NOT EXISTS distributed_session_migration (
  version integer PRIMARY KEY,
  name text NOT NULL,
  applied_at timestamptz NOT NULL DEFAULT now()
);

CREATE SEQUENCE distributed_session_place;

CREATE TABLE distributed_session (
  session_id uuid CONSTRAINT distributed_session_pkey PRIMARY KEY,
  login_id text COLLATE "C" NOT NULL,
  service_id text NOT NULL,
  device text,
  version integer NOT NULL CONSTRAINT distributed_session_version CHECK (version >= 1),
  place bigint NOT NULL DEFAULT nextval('distributed_session_place'),
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
  CONSTRAINT distributed_session_live_or_ended CHECK (
    CASE WHEN ended_at IS NULL
      THEN payload IS NOT NULL AND coalesce(reason, ended_by, actor) IS NULL AND rotated_to IS NULL
      ELSE payload IS NULL AND reason IS NOT NULL AND ended_by IS NOT NULL
        AND (reason = 'rotated') = (rotated_to IS NOT NULL) AND (rotated_to IS NULL) = (grace_ends_at IS NULL)
    END)
) WITH (fillfactor = 75, autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.05);

COMMENT ON TABLE distributed_session IS
  'Live sessions, and the tombstones of ended ones. Times are epoch milliseconds: to_timestamp(created_at / 1000.0).';

CREATE INDEX distributed_session_live_by_login ON distributed_session (login_id, place) WHERE ended_at IS NULL;

CREATE INDEX distributed_session_live_by_sweep ON distributed_session (sweep_at) WHERE ended_at IS NULL;

CREATE INDEX distributed_session_ended_by_login ON distributed_session (login_id, ended_at, place)
  WHERE ended_at IS NOT NULL;

CREATE INDEX distributed_session_ended_by_sweep ON distributed_session (sweep_at) WHERE ended_at IS NOT NULL;

CREATE TABLE distributed_session_count (
  shard smallint CONSTRAINT distributed_session_count_pkey PRIMARY KEY,
  sessions bigint NOT NULL DEFAULT 0,
  logins bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 10, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);

CREATE TABLE distributed_session_change (
  number bigint GENERATED ALWAYS AS IDENTITY,
  change text NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000, vacuum_truncate = off);

INSERT INTO distributed_session_count (shard) SELECT generate_series(0, 63);

CREATE FUNCTION distributed_now_ms() RETURNS bigint LANGUAGE sql VOLATILE AS $$
  SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint
$$;

CREATE FUNCTION distributed_login_lock(p_login_id text) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
  SELECT hashtextextended(p_login_id, -1077003728721044249)
$$;

CREATE FUNCTION distributed_announce(p_change json) RETURNS void LANGUAGE plpgsql AS $$
BEGIN RAISE 'An unreleased function was called'; END
$$;

CREATE FUNCTION distributed_announce_session(
  p_type text, p_session distributed_session, p_by text, p_at bigint, p_origin text
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN RAISE 'An unreleased function was called'; END
$$;

CREATE FUNCTION distributed_bury(
  p_session_id uuid, p_reason text, p_at bigint, p_by text, p_actor text, p_rotated_to uuid, p_grace_ends_at bigint,
  p_retention bigint, p_origin text
) RETURNS distributed_session LANGUAGE plpgsql AS $$
BEGIN RAISE 'An unreleased function was called'; END
$$;

CREATE FUNCTION distributed_expire(p_session_ids uuid[], p_retention bigint, p_origin text)
RETURNS integer LANGUAGE plpgsql AS $$
BEGIN RAISE 'An unreleased function was called'; END
$$;

CREATE FUNCTION distributed_claim_due(p_login_id text, p_now bigint, p_retention bigint, p_origin text)
RETURNS integer LANGUAGE plpgsql AS $$
BEGIN RAISE 'An unreleased function was called'; END
$$;

CREATE FUNCTION distributed_trim_history(p_login_ids text[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN RAISE 'An unreleased function was called'; END
$$;

CREATE FUNCTION distributed_is_online(p_login_id text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN RAISE 'An unreleased function was called'; END
$$;

CREATE FUNCTION distributed_count_shard(p_login_id text) RETURNS smallint LANGUAGE sql IMMUTABLE AS $$
  SELECT (hashtextextended(p_login_id, 0) & 63)::smallint
$$;

CREATE FUNCTION distributed_count_login(p_login_id text, p_change integer, p_was_online boolean)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN RAISE 'An unreleased function was called'; END
$$;

CREATE FUNCTION distributed_refusal(p_ended_at bigint, p_expires_at bigint, p_sweep_at bigint, p_now bigint)
RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE
    WHEN p_expires_at IS NULL OR (p_ended_at IS NOT NULL AND p_sweep_at <= p_now) THEN 'missing'
    WHEN p_ended_at IS NOT NULL OR p_expires_at <= p_now THEN 'ended'
  END
$$;

CREATE FUNCTION distributed_create_session(
  p_session_id uuid, p_login_id text, p_by text, p_device text, p_idle_ms bigint, p_absolute_ms bigint, p_payload bytea,
  p_per_login integer, p_per_device integer, p_on_limit text, p_retention bigint, p_origin text
) RETURNS TABLE (outcome text, now bigint, stored distributed_session) LANGUAGE plpgsql AS $$
BEGIN RAISE 'An unreleased function was called'; END
$$;

CREATE FUNCTION distributed_replace_session(
  p_session_id uuid, p_expected_version integer, p_payload bytea, p_touch boolean, p_by text, p_origin text
) RETURNS TABLE (outcome text, now bigint, stored distributed_session) LANGUAGE plpgsql AS $$
BEGIN RAISE 'An unreleased function was called'; END
$$;

CREATE FUNCTION distributed_touch_sessions(p_session_ids uuid[], p_wait boolean)
RETURNS TABLE (session_id uuid, last_accessed_at bigint, expires_at bigint, is_held boolean) LANGUAGE plpgsql AS $$
BEGIN RAISE 'An unreleased function was called'; END
$$;

CREATE FUNCTION distributed_rotate_session(
  p_session_id uuid, p_expected_version integer, p_successor_id uuid, p_payload bytea, p_grace bigint, p_by text,
  p_retention bigint, p_origin text
) RETURNS TABLE (outcome text, now bigint, stored distributed_session) LANGUAGE plpgsql AS $$
BEGIN RAISE 'An unreleased function was called'; END
$$;

CREATE FUNCTION distributed_end_live(
  p_session_ids uuid[], p_reason text, p_now bigint, p_by text, p_actor text, p_retention bigint, p_origin text
) RETURNS integer LANGUAGE plpgsql AS $$
BEGIN RAISE 'An unreleased function was called'; END
$$;

CREATE FUNCTION distributed_end_session(
  p_session_id uuid, p_reason text, p_by text, p_actor text, p_retention bigint, p_origin text
) RETURNS TABLE (outcome text, now bigint, stored distributed_session) LANGUAGE plpgsql AS $$
BEGIN RAISE 'An unreleased function was called'; END
$$;

CREATE FUNCTION distributed_end_login_sessions(
  p_login_id text, p_except_id uuid, p_device text, p_reason text, p_by text, p_actor text, p_retention bigint,
  p_origin text
) RETURNS TABLE (outcome text, now bigint, stored distributed_session) LANGUAGE plpgsql AS $$
BEGIN RAISE 'An unreleased function was called'; END
$$;

CREATE FUNCTION distributed_sweep_sessions(p_limit integer, p_retention bigint, p_origin text)
RETURNS TABLE (claimed integer, seen integer) LANGUAGE plpgsql AS $$
BEGIN RAISE 'An unreleased function was called'; END
$$;

CREATE FUNCTION distributed_purge_tombstones(p_limit integer) RETURNS integer LANGUAGE plpgsql AS $$
BEGIN RAISE 'An unreleased function was called'; END
$$;

CREATE FUNCTION distributed_recount_sessions() RETURNS void LANGUAGE plpgsql AS $$
BEGIN RAISE 'An unreleased function was called'; END
$$;

CREATE FUNCTION distributed_may_write() RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT NOT pg_is_in_recovery() AND current_setting('transaction_read_only') = 'off'
    AND has_table_privilege('distributed_session', 'INSERT') AND has_table_privilege('distributed_session', 'UPDATE')
    AND has_table_privilege('distributed_session', 'DELETE') AND has_table_privilege('distributed_session_change', 'DELETE')
$$;

CREATE FUNCTION distributed_flush_changes(p_beat boolean) RETURNS TABLE (now bigint, is_told boolean)
LANGUAGE plpgsql AS $$
BEGIN RAISE 'An unreleased function was called'; END
$$;

CREATE FUNCTION distributed_settled_session(p_session_id uuid) RETURNS TABLE (now bigint, stored distributed_session) LANGUAGE plpgsql AS $$
BEGIN RAISE 'An unreleased function was called'; END
$$;

CREATE FUNCTION distributed_settled_login(p_login_id text) RETURNS TABLE (now bigint, stored distributed_session) LANGUAGE plpgsql AS $$
BEGIN RAISE 'An unreleased function was called'; END
$$;

INSERT INTO distributed_session_migration (version, name) VALUES (1, 'sessions');
