import { payloadOf, writeIdOf } from './write-payload.js';

/** @import { SessionStorage, StoredSession } from 'nestjs-distributed-session/storage' */
/** @import { CallInputs, CallOf, CallOutcome, CallResult, HistoryEntry, Operation, Seen } from './history.js' */

/** The answers of applied writes. Only from `end()` does `ended` mean applied; elsewhere it is a refusal. */
const APPLIED = new Set(['create created', 'replace replaced', 'rotate rotated', 'end ended']);
const NOT_APPLIED = new Set(['ERR_STORAGE_UNAVAILABLE', 'ERR_STORAGE_FULL']);

/**
 * How each operation is called.
 *
 * @type {{ [Op in Operation]: (storage: SessionStorage, input: CallInputs[Op], by: string) => Promise<unknown> }}
 */
const EXECUTE = {
  create: (storage, { writeId, ...input }, by) => storage.create({ ...input, payload: payloadOf(writeId), by }),
  get: (storage, { sessionId }) => storage.get(sessionId),
  replace: (storage, { writeId, ...input }, by) => storage.replace({ ...input, payload: payloadOf(writeId), by }),
  touch: (storage, { sessionIds }) => storage.touch(sessionIds),
  rotate: (storage, { writeId, successorId, ...input }, by) =>
    storage.rotate({ ...input, successor: { sessionId: successorId, payload: payloadOf(writeId) }, by }),
  end: (storage, { writeId, ...input }, by) => storage.end({ ...input, by, actor: writeId }),
  endAll: (storage, { writeId, ...input }, by) => storage.endAll({ ...input, by, actor: writeId }),
  listByLogin: (storage, { loginId }) => storage.listByLogin(loginId),
  listHistory: (storage, { loginId }) => storage.listHistory(loginId),
  sweep: (storage, input) => storage.sweep(input),
  count: (storage) => storage.count(),
};

/** A client of a storage that records its calls, their results and the changes that it receives. */
export class HistoryRecorder {
  #calls = 0;
  /** When something was received last, by `time`. */
  lastReceivedAt = 0;

  /**
   * @param {object} options
   * @param {SessionStorage} options.storage
   * @param {string} options.client A unique name, also used as the id of the writing service.
   * @param {(entry: HistoryEntry) => void} options.write
   * @param {() => number} [options.time] By default the monotonic clock that the processes of one machine share.
   */
  constructor({ storage, client, write, time = () => Number(process.hrtime.bigint()) }) {
    this.storage = storage;
    this.client = client;
    this.write = write;
    this.time = time;
  }

  /** An id that no other write has. */
  nextWriteId() {
    return `${this.client}/${this.#calls + 1}`;
  }

  /** Records what the change feed delivers. Returns the function that stops recording. */
  listen() {
    const { client } = this;
    this.write({ kind: 'feed-started', client, at: this.time() });
    const stop = this.storage.changes((change) => {
      this.lastReceivedAt = this.time();
      this.write({ kind: 'received', client, at: this.lastReceivedAt, change });
    });
    return () => {
      stop();
      this.write({ kind: 'feed-ended', client, at: this.time() });
    };
  }

  /**
   * Makes one call and returns its record. It never rejects: an error is an outcome.
   *
   * @template {Operation} Op
   * @param {Op} operation
   * @param {CallInputs[Op]} input
   * @returns {Promise<CallOf<Op>>}
   */
  async call(operation, input) {
    const { client, storage } = this;
    const number = ++this.#calls;
    const times = { clockAtStart: storage.now(), startedAt: this.time() };
    /** @type {CallOf<Op>} */
    const started = { kind: 'call', client, number, operation, input, ...times, outcome: 'unknown' };
    this.write(/** @type {HistoryEntry} */ (started));
    const result = await resultOfCall(operation, () => EXECUTE[operation](storage, input, client));
    /** @type {CallOf<Op>} */
    const settled = { ...started, endedAt: this.time(), clockAtEnd: storage.now(), ...result };
    this.write(/** @type {HistoryEntry} */ (settled));
    return settled;
  }
}

/**
 * @param {Operation} operation
 * @param {() => Promise<unknown>} ask
 * @returns {Promise<{ outcome: CallOutcome, result?: CallResult, error?: string }>}
 */
async function resultOfCall(operation, ask) {
  try {
    const result = resultOf(await ask());
    const isDone = result.answer === 'read' || APPLIED.has(`${operation} ${result.answer}`);
    return { outcome: isDone ? 'ok' : 'refused', result };
  } catch (thrown) {
    const { code, name } = /** @type {{ code?: string, name?: string }} */ (thrown);
    const error = code ?? name ?? 'an error without a name';
    return { outcome: NOT_APPLIED.has(error) ? 'not-applied' : 'unknown', error };
  }
}

/**
 * Converts an answer, whose form shows which operation it belongs to.
 *
 * @param {any} answer
 * @returns {CallResult}
 */
function resultOf(answer) {
  if (answer === undefined) return { answer: 'read', sessions: [] };
  if (typeof answer === 'number') return { answer: 'read', sessions: [], expired: answer };
  if (Array.isArray(answer)) {
    if (answer.every((item) => item?.state)) return { answer: 'read', sessions: answer.map(seen) };
    return { answer: 'read', sessions: [], times: answer.map((times) => times ?? null) };
  }
  if ('state' in answer) return { answer: 'read', sessions: [seen(answer)] };
  if ('outcome' in answer) return { answer: answer.outcome, sessions: answer.session ? [seen(answer.session)] : [] };
  return { answer: 'read', sessions: [], counts: answer };
}

/**
 * @param {StoredSession} session
 * @returns {Seen}
 */
function seen(session) {
  if (session.state === 'ended') {
    const { state, sessionId, loginId, version, reason, endedAt, endedBy, actor, rotatedTo } = session;
    return { state, sessionId, loginId, version, reason, endedAt, endedBy, actor, rotatedTo };
  }
  const { state, sessionId, loginId, version, lastAccessedAt, expiresAt, absoluteExpiresAt, payload } = session;
  const writeId = writeIdOf(payload);
  return { state, sessionId, loginId, version, lastAccessedAt, expiresAt, absoluteExpiresAt, writeId };
}
