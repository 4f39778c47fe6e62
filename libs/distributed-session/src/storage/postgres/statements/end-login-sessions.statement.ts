import { sessionColumns } from '../records/stored-session.js';
import { PostgresStatement } from './postgres-statement.js';

/**
 * Ends the sessions of a login, but one if so said, and only those of a device if one is given.
 *
 * Params: loginId, exceptId or null, device or null, reason, by, actor or null, retentionMs; origin of the write.
 * Returns: outcome (`ended`), now and the tombstone, one row for each, the oldest session first.
 */
export const endLoginSessionsStatement = new PostgresStatement({
  name: 'end-login-sessions',
  params: ['loginId', 'exceptId', 'device', 'reason', 'by', 'actor', 'retentionMs', 'origin'],
  text: (names, $) => `
SELECT result.outcome, result.now, ${sessionColumns('(result.stored)')}
FROM ${names.of('end_login_sessions')}(
  ${$.loginId}, ${$.exceptId}, ${$.device}, ${$.reason}, ${$.by}, ${$.actor}, ${$.retentionMs},
  ${$.origin}) AS result
`,
});
