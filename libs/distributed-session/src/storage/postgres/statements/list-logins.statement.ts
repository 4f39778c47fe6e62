import { PostgresStatement } from './postgres-statement.js';

/**
 * Lists the logins that have live sessions, in the order of their ids, from one on.
 *
 * Params: after: the last login id of the page before, or an empty text; limit.
 * Returns: login id, live sessions, one row for each.
 */
export const listLoginsStatement = new PostgresStatement({
  name: 'list-logins',
  isReadOnly: true,
  params: ['after', 'limit'],
  text: (names, $) => `
SELECT session.login_id, count(*) FROM ${names.session} AS session
WHERE session.ended_at IS NULL AND session.login_id > ${$.after} AND session.expires_at > (SELECT ${names.of('now_ms')}())
GROUP BY session.login_id ORDER BY session.login_id LIMIT ${$.limit}
`,
});
