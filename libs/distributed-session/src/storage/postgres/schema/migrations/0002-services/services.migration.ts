import type { Migration } from '../../migration.js';
import { serviceFunctions } from './service-functions.sql.js';
import { serviceTables } from './service-tables.sql.js';

export const servicesMigration: Migration = {
  version: 2,
  name: 'services',
  statements: (names) => [...serviceTables(names), ...serviceFunctions(names)],
};
