import { PostgresStatement } from './postgres-statement.js';

/**
 * Removes a service and all its secrets.
 *
 * Params: serviceId, by; origin of the write.
 * Returns: whether there was one.
 */
export const removeServiceStatement = new PostgresStatement({
  name: 'remove-service',
  params: ['serviceId', 'by', 'origin'],
  text: (names, $) => `
SELECT ${names.of('remove_service')}(${$.serviceId}, ${$.by}, ${$.origin})
`,
});
