-- The privileges of monitoring: it counts sessions, lists who is online, receives changes, and reads what sessions and
-- services are, but neither payloads, nor digests of tokens, nor hashes of secrets. Run this as the owner of the tables,
-- after the migrations: again for each release, which may add tables and functions. Before the first time, create the
-- role, with a password:
--   CREATE ROLE ds_monitor LOGIN;
-- For other names, replace ds_monitor; for another schema, public; for another table prefix, distributed_.
-- Up to PostgreSQL 14, every user may create tables in public: REVOKE CREATE ON SCHEMA public FROM PUBLIC;

GRANT USAGE ON SCHEMA public TO ds_monitor;

GRANT SELECT ON TABLE
  public.distributed_session_migration,
  public.distributed_session_function,
  public.distributed_session_count,
  public.distributed_session_change,
  public.distributed_session_feed,
  public.distributed_service
TO ds_monitor;

GRANT SELECT (
  session_id, login_id, service_id, device, version, created_at, last_accessed_at, expires_at, absolute_expires_at,
  ended_at, reason, ended_by, actor, rotated_to
) ON TABLE public.distributed_session TO ds_monitor;

GRANT SELECT (key_id, service_id, created_at, ends_at, last_used_at)
ON TABLE public.distributed_service_secret TO ds_monitor;

-- Every user has these, unless they were revoked, or the owner's default privileges exclude them.
GRANT EXECUTE ON FUNCTION
  public.distributed_now_ms,
  public.distributed_may_write,
  public.distributed_read_changes
TO ds_monitor;
