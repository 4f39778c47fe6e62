import { sessionColumns } from '../records/stored-session.js';
import { PostgresStatement } from './postgres-statement.js';

/**
 * Finds a session that may have ended just now, once changes under way are visible.
 *
 * Params: sessionId.
 * Returns: now, the session; no row if there is none.
 */
export const settleSessionStatement = new PostgresStatement({
  name: 'settle-session',
  isReadOnly: true,
  params: ['sessionId'],
  text: (names, $) => `
SELECT result.now, ${sessionColumns('(result.stored)')} FROM ${names.of('settled_session')}(${$.sessionId}) AS result
`,
});
