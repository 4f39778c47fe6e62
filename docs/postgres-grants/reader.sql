-- The privileges of a service that only reads sessions. It reads no hashes of secrets, so it cannot verify other services.
-- Run this as the owner of the tables, after the migrations: again for each release, which may add tables and functions.
-- Before the first time, create the role, with a password:
--   CREATE ROLE ds_reader LOGIN;
-- For other names, replace ds_reader; for another schema, public; for another table prefix, distributed_.
-- Up to PostgreSQL 14, every user may create tables in public: REVOKE CREATE ON SCHEMA public FROM PUBLIC;

GRANT USAGE ON SCHEMA public TO ds_reader;

GRANT SELECT ON TABLE
  public.distributed_session_migration,
  public.distributed_session_function,
  public.distributed_session,
  public.distributed_session_count,
  public.distributed_session_change,
  public.distributed_session_feed
TO ds_reader;

-- Every user has these, unless they were revoked, or the owner's default privileges exclude them.
GRANT EXECUTE ON FUNCTION
  public.distributed_now_ms,
  public.distributed_may_write,
  public.distributed_read_changes,
  public.distributed_read_session_exactly,
  public.distributed_read_login_exactly
TO ds_reader;
