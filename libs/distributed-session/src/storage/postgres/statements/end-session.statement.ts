import { sessionColumns } from '../records/stored-session.js';
import { PostgresStatement } from './postgres-statement.js';

/**
 * Ends a session.
 *
 * Params: sessionId, reason, by, actor or null, retentionMs; origin of the write.
 * Returns: outcome (`ended`, `already-ended`, `missing`), now, the session as it is.
 */
export const endSessionStatement = new PostgresStatement({
  name: 'end-session',
  params: ['sessionId', 'reason', 'by', 'actor', 'retentionMs', 'origin'],
  text: (names, $) => `
SELECT result.outcome, result.now, ${sessionColumns('(result.stored)')}
FROM ${names.of('end_session')}(
  ${$.sessionId}, ${$.reason}, ${$.by}, ${$.actor}, ${$.retentionMs}, ${$.origin}) AS result
`,
});
