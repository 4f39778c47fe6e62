import { HISTORY_LIMIT } from '../../session-storage.js';
import { sessionColumns } from '../records/stored-session.js';
import { PostgresStatement } from './postgres-statement.js';

/**
 * Lists the newest tombstones of a login, and the sessions that are due and not claimed yet.
 *
 * Params: loginId.
 * Returns: now and the session, one row for each, in no order.
 */
export const listHistoryStatement = new PostgresStatement({
  name: 'list-history',
  isReadOnly: true,
  params: ['loginId'],
  text: (names, $) => `
WITH clock (now) AS MATERIALIZED (SELECT ${names.of('now_ms')}()), ended AS (
  SELECT session.* FROM ${names.session} AS session
  WHERE session.login_id = ${$.loginId} AND session.ended_at IS NOT NULL AND session.sweep_at > (SELECT now FROM clock)
  ORDER BY session.ended_at DESC, session.place DESC LIMIT ${HISTORY_LIMIT}
), due AS (
  SELECT session.* FROM ${names.session} AS session
  WHERE session.login_id = ${$.loginId} AND session.ended_at IS NULL AND session.expires_at <= (SELECT now FROM clock)
)
SELECT clock.now, ${sessionColumns('session')}
FROM clock CROSS JOIN (SELECT * FROM ended UNION ALL SELECT * FROM due) AS session
`,
});
