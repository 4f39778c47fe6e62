import { literal } from './schema-names.js';
import { CURRENT_SERVICE_VIEW } from './migrations/0002-services.migration.js';

/** The last version at which a store may have been written before the first release. */
const LAST_UNRELEASED_VERSION = 2;

/** The functions that belonged to numbered migrations then. */
const FUNCTIONS_THEN = [
  'now_ms',
  'login_lock',
  'announce',
  'announce_session',
  'bury',
  'expire',
  'claim_due',
  'trim_history',
  'is_online',
  'count_shard',
  'count_login',
  'refusal',
  'create_session',
  'replace_session',
  'touch_sessions',
  'rotate_session',
  'end_live',
  'end_session',
  'end_login_sessions',
  'sweep_sessions',
  'purge_tombstones',
  'recount_sessions',
  'may_write',
  'flush_changes',
  'settled_session',
  'settled_login',
  'announce_service',
  'put_service',
  'add_service_secret',
  'end_service_secret',
  'remove_service',
];

/**
 * Statements for a store from before the first release: they enter its functions into the ledger with an unknown
 * signature, so that the next statement drops them, and replace its view, which called one of them. Any other store stays
 * as it is.
 */
export function unreleasedStoreStatements(from: number): string[] {
  if (from === 0 || from > LAST_UNRELEASED_VERSION) return [];
  const rows = FUNCTIONS_THEN.map((name) => `(${literal(name)}, '', '')`);
  return [
    CURRENT_SERVICE_VIEW,
    `INSERT INTO {session_function} (name, signature, digest) VALUES
  ${rows.join(', ')}
ON CONFLICT DO NOTHING`,
  ];
}
