/** @import { CallInputs, Operation } from './history.js' */
/** @import { HistoryRecorder } from './history-recorder.js' */
/** @import { SeededRandom } from './seeded-random.js' */

/**
 * The circumstances that an input is made for.
 *
 * @typedef {object} Occasion
 * @property {HistoryRecorder} recorder
 * @property {SeededRandom} random
 * @property {string} loginId
 * @property {{ sessionId: string, version: number } | undefined} session A session of the login that the client knows.
 */

const HISTORY_RETENTION_MS = 3_600_000;

/**
 * @type {{ [Op in Operation]: (occasion: Occasion) => CallInputs[Op] | undefined }}
 */
const INPUTS = {
  create: ({ recorder, random, loginId }) => ({
    sessionId: recorder.storage.nextSessionId(loginId),
    loginId,
    ...(random.chance(0.5) && { device: random.pick(['web', 'mobile']) }),
    ...timeouts(random),
    limits: {
      perLogin: random.between(2, 6),
      ...(random.chance(0.3) && { perDevice: random.between(1, 2) }),
      onLimit: random.chance(0.7) ? random.pick(['end-oldest', 'end-idlest']) : 'reject',
    },
    historyRetentionMs: HISTORY_RETENTION_MS,
    writeId: recorder.nextWriteId(),
  }),
  get: ({ session }) => session && { sessionId: session.sessionId },
  replace: ({ recorder, random, session }) =>
    session && {
      sessionId: session.sessionId,
      expectedVersion: expectedVersion(session.version, random),
      touch: random.chance(0.3),
      writeId: recorder.nextWriteId(),
    },
  touch: ({ session }) => session && { sessionIds: [session.sessionId] },
  rotate: ({ recorder, random, loginId, session }) =>
    session && {
      sessionId: session.sessionId,
      expectedVersion: expectedVersion(session.version, random),
      successorId: recorder.storage.nextSessionId(loginId),
      graceMs: random.pick([0, 1_000]),
      historyRetentionMs: HISTORY_RETENTION_MS,
      writeId: recorder.nextWriteId(),
    },
  end: ({ recorder, random, session }) =>
    session && {
      sessionId: session.sessionId,
      reason: random.pick(['logged-out', 'kicked-out']),
      historyRetentionMs: HISTORY_RETENTION_MS,
      writeId: recorder.nextWriteId(),
    },
  endAll: ({ recorder, random, loginId, session }) => ({
    loginId,
    ...(session && random.chance(0.5) && { exceptSessionId: session.sessionId }),
    ...(random.chance(0.3) && { device: random.pick(['web', 'mobile']) }),
    reason: random.pick(['kicked-out', 'revoked']),
    historyRetentionMs: HISTORY_RETENTION_MS,
    writeId: recorder.nextWriteId(),
  }),
  listByLogin: ({ loginId }) => ({ loginId }),
  listHistory: ({ loginId }) => ({ loginId }),
  sweep: ({ random }) => ({ limit: random.between(1, 50), historyRetentionMs: HISTORY_RETENTION_MS }),
  count: () => ({}),
};

/**
 * The input of an operation, or `undefined` if the operation needs a session and the client knows none.
 *
 * @template {Operation} Op
 * @param {Op} operation
 * @param {Occasion} occasion
 * @returns {CallInputs[Op] | undefined}
 */
export function randomInput(operation, occasion) {
  return INPUTS[operation](occasion);
}

/**
 * Some are so short that sessions become due while they are in use.
 *
 * @param {SeededRandom} random
 */
function timeouts(random) {
  return {
    idleTimeoutMs: random.chance(0.3) ? random.between(20, 100) : 3_600_000,
    ...(random.chance(0.5) && { absoluteTimeoutMs: random.chance(0.3) ? random.between(40, 150) : 7_200_000 }),
  };
}

/**
 * Usually the known version, which may be stale; rarely one that cannot exist yet.
 *
 * @param {number} version
 * @param {SeededRandom} random
 */
function expectedVersion(version, random) {
  if (random.chance(0.1)) return Math.max(1, version - 1);
  return random.chance(0.03) ? version + 1 : version;
}
