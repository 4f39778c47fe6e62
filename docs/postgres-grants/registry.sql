-- The privileges of a service that reads and writes sessions, and registers, changes and revokes services: the session
-- service, or the one that administers the others. Run this as the owner of the tables, after the migrations: again for
-- each release, which may add tables and functions. Before the first time, create the role, with a password:
--   CREATE ROLE ds_registry LOGIN;
-- For other names, replace ds_registry; for another schema, public; for another table prefix, distributed_.
-- Up to PostgreSQL 14, every user may create tables in public: REVOKE CREATE ON SCHEMA public FROM PUBLIC;

GRANT USAGE ON SCHEMA public TO ds_registry;

GRANT SELECT ON TABLE
  public.distributed_session_migration,
  public.distributed_session_function,
  public.distributed_current_service
TO ds_registry;

GRANT SELECT, INSERT, UPDATE, DELETE ON TABLE
  public.distributed_session,
  public.distributed_service,
  public.distributed_service_secret
TO ds_registry;

GRANT SELECT, UPDATE ON TABLE public.distributed_session_count TO ds_registry;

-- To lock rows; no row is changed.
GRANT SELECT, UPDATE (purpose) ON TABLE public.distributed_session_lock TO ds_registry;

GRANT SELECT, INSERT, DELETE ON TABLE
  public.distributed_session_change,
  public.distributed_session_feed
TO ds_registry;

GRANT USAGE ON SEQUENCE public.distributed_session_place TO ds_registry;

-- Every user has these, unless they were revoked, or the owner's default privileges exclude them.
GRANT EXECUTE ON FUNCTION
  public.distributed_now_ms,
  public.distributed_login_lock,
  public.distributed_is_online,
  public.distributed_idlest_first,
  public.distributed_count_shard,
  public.distributed_count_login,
  public.distributed_queue_change,
  public.distributed_queue_session_change,
  public.distributed_queue_service_change,
  public.distributed_may_write,
  public.distributed_write_tombstone,
  public.distributed_expire_sessions,
  public.distributed_expire_due,
  public.distributed_end_live,
  public.distributed_trim_history,
  public.distributed_locked_session,
  public.distributed_create_session,
  public.distributed_replace_session,
  public.distributed_touch_sessions,
  public.distributed_rotate_session,
  public.distributed_end_session,
  public.distributed_end_login_sessions,
  public.distributed_sweep_sessions,
  public.distributed_purge_tombstones,
  public.distributed_flush_changes,
  public.distributed_read_changes,
  public.distributed_verify_storage,
  public.distributed_verify_lock,
  public.distributed_read_session_exactly,
  public.distributed_read_login_exactly,
  public.distributed_put_service,
  public.distributed_add_service_secret,
  public.distributed_end_service_secret,
  public.distributed_remove_service
TO ds_registry;
