import { sessionColumns } from '../records/stored-session.js';
import { PostgresStatement } from './postgres-statement.js';

/**
 * Moves a session that is live and at the expected version to a new id and payload.
 *
 * Params: sessionId, expectedVersion, successorId, payload, graceMs, by, retentionMs; origin of the write.
 * Returns: outcome (`rotated`, `id-taken`, `conflict`, `ended`, `missing`), now, the successor or the session as it is.
 */
export const rotateSessionStatement = new PostgresStatement({
  name: 'rotate-session',
  params: ['sessionId', 'expectedVersion', 'successorId', 'payload', 'graceMs', 'by', 'retentionMs', 'origin'],
  text: (names, $) => `
SELECT result.outcome, result.now, ${sessionColumns('(result.stored)')}
FROM ${names.of('rotate_session')}(
  ${$.sessionId}, ${$.expectedVersion}, ${$.successorId}, ${$.payload}, ${$.graceMs}, ${$.by}, ${$.retentionMs},
  ${$.origin}) AS result
`,
});
