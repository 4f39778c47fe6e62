import { PostgresStatement } from './postgres-statement.js';

/**
 * Records an access of live sessions. Those whose rows others hold are waited for, or named in the result.
 *
 * Params: sessionIds; wait.
 * Returns: session id, lastAccessedAt, expiresAt and whether it is held by others, one row for each.
 */
export const touchSessionsStatement = new PostgresStatement({
  name: 'touch-sessions',
  params: ['sessionIds', 'wait'],
  text: (names, $) => `
SELECT touched.session_id, touched.last_accessed_at, touched.expires_at, touched.is_held
FROM ${names.of('touch_sessions')}(${$.sessionIds}, ${$.wait}) AS touched
`,
});
