import type { Migration } from '../migration.js';
import { sessionsMigration } from './0001-sessions/sessions.migration.js';
import { servicesMigration } from './0002-services/services.migration.js';

/** All migrations, in their order. */
export const MIGRATIONS: readonly Migration[] = [sessionsMigration, servicesMigration];
