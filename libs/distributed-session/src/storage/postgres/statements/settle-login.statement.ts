import { sessionColumns } from '../records/stored-session.js';
import { PostgresStatement } from './postgres-statement.js';

/**
 * Lists all sessions of a login, live and ended, once changes under way are visible.
 *
 * Params: loginId.
 * Returns: now and the session, one row for each, in no order.
 */
export const settleLoginStatement = new PostgresStatement({
  name: 'settle-login',
  isReadOnly: true,
  params: ['loginId'],
  text: (names, $) => `
SELECT result.now, ${sessionColumns('(result.stored)')} FROM ${names.of('settled_login')}(${$.loginId}) AS result
`,
});
