import { literal } from '../schema/schema-names.js';
import { PostgresStatement } from './postgres-statement.js';

/**
 * Asks for the time and, if so said, sends a heartbeat to all who listen. What was announced before arrives before it.
 *
 * Params: send.
 * Returns: now.
 */
export const sendBeatStatement = new PostgresStatement({
  name: 'send-beat',
  isReadOnly: true,
  params: ['send'],
  text: (names, $) => `
SELECT clock.now, CASE WHEN ${$.send}
  THEN pg_notify(${literal(names.channel)}, json_build_object('type', 'beat', 'at', clock.now)::text) END
FROM (SELECT ${names.of('now_ms')}()) AS clock (now)
`,
});
