-- What a service needs that looks at sessions, and nothing else. Run it as the owner of the tables, after the migrations:
-- of each new release, too, which may have brought functions and tables. Before that, once, and with a password:
--   CREATE ROLE ds_read_only LOGIN;
-- For other names, replace ds_read_only; for another schema, public; for another table prefix, distributed_.
-- Up to PostgreSQL 14 everybody may make tables in public: REVOKE CREATE ON SCHEMA public FROM PUBLIC;

GRANT USAGE ON SCHEMA public TO ds_read_only;

GRANT SELECT ON TABLE
  public.distributed_session_migration,
  public.distributed_session,
  public.distributed_session_count,
  public.distributed_service_secret,
  public.distributed_current_service
TO ds_read_only;

-- Everybody has these, unless that was revoked, or the default privileges of the owner leave it out.
GRANT EXECUTE ON FUNCTION
  public.distributed_now_ms,
  public.distributed_may_write,
  public.distributed_flush_changes,
  public.distributed_settled_session,
  public.distributed_settled_login
TO ds_read_only;
