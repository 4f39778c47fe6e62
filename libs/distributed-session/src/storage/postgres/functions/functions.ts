import { CHANGE_FUNCTIONS } from './change.functions.js';
import { createSession } from './create-session.function.js';
import { endLoginSessions } from './end-login-sessions.function.js';
import { endSession } from './end-session.function.js';
import { ENDING_FUNCTIONS } from './ending.functions.js';
import { readLoginExactly, readSessionExactly } from './exact-reads.functions.js';
import { flushChanges } from './flush-changes.function.js';
import { lockedSession } from './locked-session.function.js';
import { LOGIN_FUNCTIONS } from './login.functions.js';
import type { PostgresFunction } from './postgres-function.js';
import { purgeTombstones } from './purge-tombstones.function.js';
import { putService } from './put-service.function.js';
import { readChanges } from './read-changes.function.js';
import { removeService } from './remove-service.function.js';
import { replaceSession } from './replace-session.function.js';
import { rotateSession } from './rotate-session.function.js';
import { addServiceSecret, endServiceSecret } from './service-secret.functions.js';
import { sweepSessions } from './sweep-sessions.function.js';
import { touchSessions } from './touch-sessions.function.js';
import { verifyLock, verifyStorage } from './verify-storage.function.js';

/** All SQL functions, in the order of their creation. */
export const FUNCTIONS: readonly PostgresFunction[] = [
  ...LOGIN_FUNCTIONS,
  ...CHANGE_FUNCTIONS,
  ...ENDING_FUNCTIONS,
  lockedSession,
  createSession,
  replaceSession,
  touchSessions,
  rotateSession,
  endSession,
  endLoginSessions,
  sweepSessions,
  purgeTombstones,
  flushChanges,
  readChanges,
  readSessionExactly,
  readLoginExactly,
  putService,
  addServiceSecret,
  endServiceSecret,
  removeService,
  verifyStorage,
  verifyLock,
];
