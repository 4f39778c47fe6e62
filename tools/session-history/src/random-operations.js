import { HistoryRecorder } from './history-recorder.js';
import { KnownSessions } from './known-sessions.js';
import { randomInput } from './random-input.js';
import { SeededRandom } from './seeded-random.js';

/** @import { SessionStorage } from 'nestjs-distributed-session' */
/** @import { HistoryCall, HistoryEntry } from './history.js' */

/** How often each operation is asked for. */
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

/** With more sessions than this, the history of a login would lose its oldest entries. */
const SESSIONS_PER_LOGIN = 48;
const LOGIN_PERIOD_MS = 250;

/**
 * Lets one client do at random what clients do, as many calls at once as asked for, and writes down each call and,
 * unless somebody else's recorder does, all that it hears. The same seed makes the same choices. Clients of all processes are on the same few logins at a time
 * and know each other's sessions from `listByLogin` alone; the logins are followed by new ones four times a second.
 *
 * @param {object} options
 * @param {SessionStorage} options.storage Connected.
 * @param {string} options.client Its name, which no other client has.
 * @param {number} [options.clients] How many clients are at work on the storage. Default 1.
 * @param {number} options.seed
 * @param {readonly string[]} [options.logins] What the logins begin with that are in use at one time.
 * @param {number} [options.durationMs] Default: no end by time.
 * @param {() => boolean} [options.until] Ends it when it becomes true. Default: never.
 * @param {number} [options.concurrency] How many calls to have under way. Default 4.
 * @param {(entry: HistoryEntry) => void} options.write
 * @param {HistoryRecorder} [options.recorder] Who writes it down, if that begins earlier or ends later than this.
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
      // A storage that answers without waiting for anything would keep the process from all else.
      if (random.chance(0.1)) await new Promise((resolve) => setImmediate(resolve));
    }
  }

  await Promise.all(Array.from({ length: concurrency }, (_, lane) => keepCalling(lane)));
  stopListening?.();
}

/**
 * All processes of the machine agree on the time, and so on the logins. Some of what is done comes late.
 *
 * @param {readonly string[]} logins
 * @param {SeededRandom} random
 */
function currentLogin(logins, random) {
  const period = Math.floor(Number(process.hrtime.bigint()) / 1e6 / LOGIN_PERIOD_MS);
  return `${random.pick(logins)}-${random.chance(0.1) ? period - 1 : period}`;
}
