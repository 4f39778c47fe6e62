import { PostgresStatement } from './postgres-statement.js';

/**
 * Claims due sessions, turns each into its tombstone and announces it.
 *
 * Params: limit: how many to look at; retentionMs; origin of the write.
 * Returns: how many were claimed, how many were looked at: others had been used meanwhile, and are due later.
 */
export const sweepSessionsStatement = new PostgresStatement({
  name: 'sweep-sessions',
  params: ['limit', 'retentionMs', 'origin'],
  text: (names, $) => `
SELECT swept.claimed, swept.seen FROM ${names.of('sweep_sessions')}(${$.limit}, ${$.retentionMs}, ${$.origin}) AS swept
`,
});
