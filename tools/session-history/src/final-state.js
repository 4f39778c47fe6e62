import { HistoryRecorder } from './history-recorder.js';
import { FINAL_READER } from './final-reader.js';

/** @import { SessionStorage } from 'nestjs-distributed-session' */
/** @import { CallInputs, HistoryEntry, Operation } from './history.js' */

const SWEEP = { limit: 1_000, historyRetentionMs: 3_600_000 };
const SOON_MS = 10_000;
const AT_ONCE = 32;

/**
 * Records the content of a storage after all clients have stopped: waits until no session is about to become due,
 * sweeps, then reads each session by id, each list and history, and the count.
 *
 * @param {object} options
 * @param {SessionStorage} options.storage Connected.
 * @param {readonly string[]} options.logins
 * @param {readonly string[]} options.sessionIds
 * @param {(entry: HistoryEntry) => void} options.write
 * @param {() => number} [options.time]
 */
export async function recordFinalState({ storage, logins, sessionIds, write, time }) {
  await nothingComesDue(storage, logins);
  const recorder = new HistoryRecorder({ storage, client: FINAL_READER, write, time });
  for (let expired = SWEEP.limit; expired === SWEEP.limit;) {
    expired = (await read(recorder, 'sweep', SWEEP)).result?.expired ?? 0;
  }
  await inTurn(sessionIds, (sessionId) => read(recorder, 'get', { sessionId }));
  await inTurn(logins, (loginId) => read(recorder, 'listByLogin', { loginId }));
  await inTurn(logins, (loginId) => read(recorder, 'listHistory', { loginId }));
  await read(recorder, 'count', {});
}

/**
 * Rejects if a part of the state cannot be read: an incomplete state shows nothing.
 *
 * @template {Operation} Op
 * @param {HistoryRecorder} recorder
 * @param {Op} operation
 * @param {CallInputs[Op]} input
 */
async function read(recorder, operation, input) {
  const call = await recorder.call(operation, input);
  if (call.outcome !== 'ok') throw new Error(`The final state could not be read: ${operation}: ${call.error}`);
  return call;
}

/**
 * @param {SessionStorage} storage
 * @param {readonly string[]} logins
 */
async function nothingComesDue(storage, logins) {
  for (const loginId of logins) {
    for (;;) {
      const ends = (await storage.listByLogin(loginId)).map(({ expiresAt = 0 }) => expiresAt - storage.now());
      const soon = ends.filter((leftMs) => leftMs < SOON_MS);
      if (soon.length === 0) break;
      await new Promise((resolve) => setTimeout(resolve, Math.max(1, Math.min(...soon))));
    }
  }
}

/**
 * @template T
 * @param {readonly T[]} items
 * @param {(item: T) => Promise<unknown>} visit
 */
async function inTurn(items, visit) {
  const left = [...items];
  const visitLeft = async () => {
    for (let item = left.pop(); item !== undefined; item = left.pop()) await visit(item);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, visitLeft));
}
