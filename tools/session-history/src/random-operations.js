import { HistoryRecorder } from './history-recorder.js';
import { KnownSessions } from './known-sessions.js';
import { randomInput } from './random-input.js';
import { SeededRandom } from './seeded-random.js';

/** @import { SessionStorage } from 'nestjs-distributed-session' */
/** @import { HistoryCall, HistoryEntry } from './history.js' */

/** The relative frequency of each operation. */
const WEIGHTS = {
  create: 6,
  get: 20,
  replace: 30,
  touch: 12,
  rotate: 3,
  end: 2,
  endAll: 0.3,
  listByLogin: 16,
  listHistory: 4,
  sweep: 3,
  count: 1,
};

/** With more sessions, a user's history would lose its oldest entries. */
const SESSIONS_PER_LOGIN = 48;
const LOGIN_PERIOD_MS = 250;

/**
 * Runs one client that makes random calls, several at once, and records each call and, unless `recorder` does, every
 * change that it receives. The same seed makes the same choices. The clients of all processes work on the same few
 * users at a time and know each other's sessions only from `listByLogin`; new users replace them four times a second.
 *
 * @param {object} options
 * @param {SessionStorage} options.storage Connected.
 * @param {string} options.client A unique name.
 * @param {number} [options.clients] Number of clients of the storage. Default 1.
 * @param {number} options.seed
 * @param {readonly string[]} [options.logins] Prefixes of the login ids in use at one time.
 * @param {number} [options.durationMs] Default: no end by time.
 * @param {() => boolean} [options.until] Ends it when it becomes true. Default: never.
 * @param {number} [options.concurrency] Number of calls in flight. Default 4.
 * @param {(entry: HistoryEntry) => void} options.write
 * @param {HistoryRecorder} [options.recorder] The recorder, if it starts earlier or stops later than this run.
 * @returns {Promise<void>} Resolves when all calls have settled.
 */
export async function runRandomOperations(options) {
  const { storage, client, clients = 1, seed, logins = ['ada', 'ben', 'cleo'], concurrency = 4, write } = options;
  const { durationMs = Infinity, until = () => false } = options;
  const recorder = options.recorder ?? new HistoryRecorder({ storage, client, write });
  const stopListening = options.recorder ? undefined : recorder.listen();
  const endsAt = performance.now() + durationMs;
  const known = new KnownSessions();
  /** @type {Map<string, number>} */
  const created = new Map();

  /** @param {SeededRandom} random */
  async function nextCall(random) {
    const loginId = currentLogin(logins, random);
    const operation = random.weighted(WEIGHTS);
    const makesSession = operation === 'create' || operation === 'rotate';
    const count = (created.get(loginId) ?? 0) + (makesSession ? 1 : 0);
    if (makesSession && count > SESSIONS_PER_LOGIN / clients) return;
    created.set(loginId, count);
    const input = randomInput(operation, { recorder, random, loginId, session: known.pick(loginId, random) });
    if (input) known.learn(/** @type {HistoryCall} */ (await recorder.call(operation, input)));
  }

  /** @param {number} lane */
  async function keepCalling(lane) {
    const random = new SeededRandom(seed * 1_000 + lane);
    while (performance.now() < endsAt && !until()) {
      await nextCall(random);
      // A storage that answers without waiting would starve the event loop.
      if (random.chance(0.1)) await new Promise((resolve) => setImmediate(resolve));
    }
  }

  await Promise.all(Array.from({ length: concurrency }, (_, lane) => keepCalling(lane)));
  stopListening?.();
}

/**
 * All processes of the machine agree on the time, and so on the users. Some calls are for the previous users.
 *
 * @param {readonly string[]} logins
 * @param {SeededRandom} random
 */
function currentLogin(logins, random) {
  const period = Math.floor(Number(process.hrtime.bigint()) / 1e6 / LOGIN_PERIOD_MS);
  return `${random.pick(logins)}-${random.chance(0.1) ? period - 1 : period}`;
}
