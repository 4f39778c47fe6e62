import type { Migration } from '../../migration.js';
import { basicFunctions } from './basic-functions.sql.js';
import { endFunctions } from './end-functions.sql.js';
import { feedFunctions } from './feed-functions.sql.js';
import { sessionTable } from './session-table.sql.js';
import { settledReads } from './settled-reads.sql.js';
import { writeFunctions } from './write-functions.sql.js';

export const sessionsMigration: Migration = {
  version: 1,
  name: 'sessions',
  statements: (names) => [
    ...sessionTable(names),
    ...basicFunctions(names),
    ...writeFunctions(names),
    ...endFunctions(names),
    ...feedFunctions(names),
    ...settledReads(names),
  ],
};
