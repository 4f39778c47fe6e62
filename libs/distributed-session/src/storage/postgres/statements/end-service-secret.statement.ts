import { PostgresStatement } from './postgres-statement.js';

/**
 * Ends one secret of a service now.
 *
 * Params: serviceId, keyId, by; origin of the write.
 * Returns: whether it was good until now.
 */
export const endServiceSecretStatement = new PostgresStatement({
  name: 'end-service-secret',
  params: ['serviceId', 'keyId', 'by', 'origin'],
  text: (names, $) => `
SELECT ${names.of('end_service_secret')}(${$.serviceId}, ${$.keyId}, ${$.by}, ${$.origin})
`,
});
