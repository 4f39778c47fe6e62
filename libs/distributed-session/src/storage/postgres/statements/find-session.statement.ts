import { sessionColumns } from '../records/stored-session.js';
import { PostgresStatement } from './postgres-statement.js';

/**
 * Finds a session, live or ended.
 *
 * Params: sessionId.
 * Returns: now, the session; no row if there is none.
 */
export const findSessionStatement = new PostgresStatement({
  name: 'find-session',
  isReadOnly: true,
  params: ['sessionId'],
  text: (names, $) => `
SELECT ${names.of('now_ms')}(), ${sessionColumns('session')}
FROM ${names.session} AS session WHERE session.session_id = ${$.sessionId}
`,
});
