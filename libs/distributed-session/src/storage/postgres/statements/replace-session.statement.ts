import { sessionColumns } from '../records/stored-session.js';
import { PostgresStatement } from './postgres-statement.js';

/**
 * Writes a new payload to a session that is live and at the expected version.
 *
 * Params: sessionId, expectedVersion, payload, touch: whether it is an access; by; origin of the write.
 * Returns: outcome (`replaced`, `conflict`, `ended`, `missing`), now, the session as it is.
 */
export const replaceSessionStatement = new PostgresStatement({
  name: 'replace-session',
  params: ['sessionId', 'expectedVersion', 'payload', 'touch', 'by', 'origin'],
  text: (names, $) => `
SELECT result.outcome, result.now, ${sessionColumns('(result.stored)')}
FROM ${names.of('replace_session')}(
  ${$.sessionId}, ${$.expectedVersion}, ${$.payload}, ${$.touch}, ${$.by}, ${$.origin}) AS result
`,
});
