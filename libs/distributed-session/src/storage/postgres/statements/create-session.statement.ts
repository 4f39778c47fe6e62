import { sessionColumns } from '../records/stored-session.js';
import { PostgresStatement } from './postgres-statement.js';

/**
 * Creates a session under the limits of its login.
 *
 * Params: sessionId, loginId, by, device or null; idleMs, absoluteMs: milliseconds or null; payload; perLogin,
 *         perDevice or null; onLimit: `end-oldest` or `reject`; retentionMs; origin of the write.
 * Returns: outcome (`created`, `limit-login`, `limit-device`, `id-taken`), now, the session without its payload.
 */
export const createSessionStatement = new PostgresStatement({
  name: 'create-session',
  params: [
    'sessionId',
    'loginId',
    'by',
    'device',
    'idleMs',
    'absoluteMs',
    'payload',
    'perLogin',
    'perDevice',
    'onLimit',
    'retentionMs',
    'origin',
  ],
  text: (names, $) => `
SELECT result.outcome, result.now, ${sessionColumns('(result.stored)')}
FROM ${names.of('create_session')}(
  ${$.sessionId}, ${$.loginId}, ${$.by}, ${$.device}, ${$.idleMs}, ${$.absoluteMs}, ${$.payload}, ${$.perLogin},
  ${$.perDevice}, ${$.onLimit}, ${$.retentionMs}, ${$.origin}) AS result
`,
});
