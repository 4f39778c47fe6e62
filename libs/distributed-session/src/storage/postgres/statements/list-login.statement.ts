import { sessionColumns } from '../records/stored-session.js';
import { PostgresStatement } from './postgres-statement.js';

/**
 * Lists the sessions of a login that no sweep has claimed, in the order of their creation.
 *
 * Params: loginId.
 * Returns: now and the session, one row for each.
 */
export const listLoginStatement = new PostgresStatement({
  name: 'list-login',
  isReadOnly: true,
  params: ['loginId'],
  text: (names, $) => `
SELECT ${names.of('now_ms')}(), ${sessionColumns('session')}
FROM ${names.session} AS session WHERE session.login_id = ${$.loginId} AND session.ended_at IS NULL
ORDER BY session.place
`,
});
