import { PostgresStatement } from './postgres-statement.js';

/**
 * Announces what was committed and not announced yet and, if so said, that nothing older is still to come: a heartbeat.
 *
 * Params: beat.
 * Returns: now, and whether what was committed before has been announced: by whoever may write.
 */
export const flushChangesStatement = new PostgresStatement({
  name: 'flush-changes',
  isReadOnly: true,
  params: ['beat'],
  text: (names, $) => `SELECT flushed.now, flushed.is_told FROM ${names.of('flush_changes')}(${$.beat}) AS flushed`,
});
