import { SERVICES_LOCK } from './lock.fragment.js';
import { PostgresFunction } from './postgres-function.js';

/** The SQLSTATE that undoes the check. */
const UNDO = 'DS001';

/**
 * Creates and changes a session as the storage does, and undoes it in the same step: neither a row nor a lock remains.
 *
 * Params: `text`, `bytes` and `idleMs` are stored in the session, which no other process has.
 * Returns: the outcomes of two writes that expect the same version; whether something is left; the session in between.
 * Atomicity: a block of its own, which is rolled back.
 */
export const verifyStorage = new PostgresFunction({
  name: 'verify-storage',
  params: { sessionId: 'uuid', text: 'text', bytes: 'bytea', idleMs: 'bigint' },
  returns: { first: 'text', second: 'text', isLeft: 'boolean', stored: '{session}' },
  body: `
DECLARE
  v_created record;
BEGIN
  BEGIN
    SELECT * INTO v_created FROM {create_session}(
      p_session_id, p_text, p_text, p_text, p_idle_ms, NULL::bigint, p_text, '\\x'::bytea, 1, NULL::integer, 'reject'::text,
      1::bigint, ''::text);
    first := (SELECT outcome FROM {replace_session}(p_session_id, 1, NULL::text, p_bytes, false, p_text, ''::text));
    second := (SELECT outcome FROM {replace_session}(p_session_id, 1, NULL::text, '\\x'::bytea, false, p_text, ''::text));
    SELECT * INTO stored FROM {session} WHERE session_id = p_session_id;
    RAISE SQLSTATE '${UNDO}';
  EXCEPTION WHEN SQLSTATE '${UNDO}' THEN NULL;
  END;
  is_left := EXISTS (SELECT FROM {session} WHERE session_id = p_session_id);
  RETURN NEXT;
END
`,
});

/**
 * Waits for the lock of services.
 *
 * Returns: `taken`, or the SQLSTATE with which the wait ended: an error that is caught is not in the server's log; and the
 * time before and after the wait.
 * Atomicity: holds the lock, if it was taken, until the transaction ends.
 */
export const verifyLock = new PostgresFunction({
  name: 'verify-lock',
  params: {},
  returns: { outcome: 'text', before: 'bigint', after: 'bigint' },
  body: `
BEGIN
  before := {now_ms}();
  BEGIN
    PERFORM FROM {session_lock} WHERE number = ${SERVICES_LOCK} FOR UPDATE;
    outcome := 'taken';
  EXCEPTION WHEN query_canceled OR others THEN
    outcome := SQLSTATE;
  END;
  after := {now_ms}();
  RETURN NEXT;
END
`,
});
