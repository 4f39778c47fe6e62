import { FEED_LOCK, LOGIN_LOCKS, SERVICES_LOCK } from '../../functions/lock.fragment.js';

/** Whoever may create sessions may lock, so that processes with limited roles work on before the grants are run again. */
const GRANT_TO_WRITERS = `DO $$
DECLARE
  v_grantee regrole;
BEGIN
  FOR v_grantee IN
    SELECT DISTINCT granted.grantee FROM pg_class CROSS JOIN LATERAL aclexplode(relacl) AS granted
    WHERE pg_class.oid = '{session}'::regclass AND granted.privilege_type = 'INSERT'
      AND granted.grantee NOT IN (0, relowner)
  LOOP
    EXECUTE format('GRANT SELECT, UPDATE (purpose) ON %s TO %s', '{session_lock}', v_grantee);
  END LOOP;
END
$$`;

/**
 * Rows that are only locked. They replace advisory locks, which some compatible servers and proxies accept and ignore. A
 * row lock changes the row's header in place: it leaves no dead row, and enters no index.
 */
export const lockRowsMigration = {
  version: 5,
  name: 'lock-rows',
  oldest: { schema: 5, release: '0.1.0' },
  statements: [
    `CREATE TABLE {session_lock} (
  number bigint CONSTRAINT {constraint:session_lock_pkey} PRIMARY KEY,
  purpose text NOT NULL
)`,
    `COMMENT ON TABLE {session_lock} IS
  'Rows that transactions lock: users share ${LOGIN_LOCKS} of them, by a hash of the login id. Never changed.'`,
    `INSERT INTO {session_lock} (number, purpose) VALUES (${FEED_LOCK}, 'feed'), (${SERVICES_LOCK}, 'services')`,
    `INSERT INTO {session_lock} (number, purpose) SELECT generate_series(0, ${LOGIN_LOCKS - 1}), 'users'`,
    GRANT_TO_WRITERS,
  ],
};
