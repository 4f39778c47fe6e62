import { PostgresStatement } from './postgres-statement.js';

/**
 * Notes that a secret was used now.
 *
 * Params: serviceId, keyId.
 */
export const recordServiceUseStatement = new PostgresStatement({
  name: 'record-service-use',
  params: ['serviceId', 'keyId'],
  text: (names, $) => `
UPDATE ${names.serviceSecret} SET last_used_at = greatest(last_used_at, ${names.of('now_ms')}())
WHERE key_id = ${$.keyId} AND service_id = ${$.serviceId}
`,
});
