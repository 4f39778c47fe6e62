import { Client } from 'pg';

const INDEXES = `SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'distributed_session'`;

/** The number of sessions of each user. */
const SESSIONS_PER_LOGIN = 4;

/**
 * Fills the table with sessions, every fourth of which has ended. All were accessed just now and live for an hour, except
 * the given number of due ones.
 */
export async function fillSessions(url: string, count: number, { due = 0 } = {}): Promise<void> {
  const client = new Client(url);
  await client.connect();
  try {
    const { rows } = await client.query<{ indexname: string; indexdef: string }>(INDEXES);
    const extra = rows.filter(({ indexname }) => indexname !== 'distributed_session_pkey');
    // Building the indexes afterwards takes a fraction of the time.
    for (const { indexname } of extra) await client.query(`DROP INDEX ${indexname}`);
    await client.query(
      `INSERT INTO distributed_session (
         session_id, login_id, service_id, version, created_at, last_accessed_at, idle_timeout_ms, expires_at,
         sweep_at, payload, ended_at, reason, ended_by)
       SELECT
         md5(n::text)::uuid, 'login-' || n / ${SESSIONS_PER_LOGIN}, 'filler', 1, now.ms, now.ms, 3600000,
         now.ms + idle.ms, now.ms + idle.ms,
         CASE WHEN ended.at IS NULL THEN '\\x00'::bytea END, ended.at,
         CASE WHEN ended.at IS NOT NULL THEN 'logged-out' END, CASE WHEN ended.at IS NOT NULL THEN 'filler' END
       FROM generate_series(1, $1::integer) AS n,
         LATERAL (SELECT distributed_now_ms() AS ms) AS now,
         LATERAL (SELECT CASE WHEN n <= $2::integer THEN -1 ELSE 3600000 END AS ms) AS idle,
         LATERAL (SELECT CASE WHEN n > $2 AND n % ${SESSIONS_PER_LOGIN} = 0 THEN now.ms END AS at) AS ended`,
      [count, due],
    );
    for (const { indexdef } of extra) await client.query(indexdef);
    await client.query('SELECT distributed_recount_sessions()');
    await client.query('VACUUM (ANALYZE) distributed_session');
  } finally {
    await client.end();
  }
}
