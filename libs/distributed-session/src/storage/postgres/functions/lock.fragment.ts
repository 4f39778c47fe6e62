/** The number of rows that users share as their locks: so many that simultaneous logins rarely wait for each other. */
export const LOGIN_LOCKS = 4_096;
/** The row that is locked while changes are published. */
export const FEED_LOCK = -1;
/** The row that is locked while services are changed, which are few and rarely change. */
export const SERVICES_LOCK = -2;

/**
 * Locks a row of `session_lock` until the transaction ends. Without the row, nothing would be locked: then the step fails
 * with SQLSTATE P0002.
 *
 * Order: a step locks one of these rows first, then rows of sessions, then those of the counts. A sweep locks the rows of
 * many users, but waits for none of them.
 *
 * @param number - An SQL expression.
 */
export function lockRow(number: string | number): string {
  return `PERFORM FROM {session_lock} WHERE number = ${number} FOR UPDATE;
  IF NOT FOUND THEN RAISE no_data_found; END IF;`;
}

/** Locks the user of a session, if the session exists. Requires a variable `v_login_id`. */
export const LOCK_LOGIN_OF_SESSION = `SELECT login_id INTO v_login_id FROM {session} WHERE session_id = p_session_id;
  IF FOUND THEN
    ${lockRow('{login_lock}(v_login_id)').replaceAll('\n', '\n  ')}
  END IF;`;
