import { InMemorySessionStorage } from 'nestjs-distributed-session';
import { FakeClock } from 'nestjs-distributed-session/testing';
import type { CallInputs, History, HistoryEntry } from '../src/history.js';
import { HistoryRecorder } from '../src/history-recorder.js';
import { subjectsOf } from '../src/history-subjects.js';
import { recordFinalState } from '../src/final-state.js';
import { historyOf } from '../src/read-history.js';
import { type Fate, UnreliableStorage } from '../src/unreliable-storage.js';

const HOUR_MS = 3_600_000;
const historyRetentionMs = 24 * HOUR_MS;

/** Two clients on one storage, with a clock and replies that the script of a history controls. */
class ScriptedClients {
  readonly clock = new FakeClock();
  readonly entries: HistoryEntry[] = [];
  readonly a: HistoryRecorder;
  readonly b: HistoryRecorder;
  readonly #unreliable: UnreliableStorage;
  readonly #stops: (() => void)[];
  #fate: Fate = 'executed';
  #time = 0;

  constructor() {
    const storage = new InMemorySessionStorage({ clock: this.clock });
    this.#unreliable = new UnreliableStorage(
      storage,
      () => this.#fate,
      async () => {},
    );
    const [a, b] = ['a', 'b'].map((client) => new HistoryRecorder({ ...this.#options(), client })) as [
      HistoryRecorder,
      HistoryRecorder,
    ];
    this.a = a;
    this.b = b;
    this.#stops = [a.listen(), b.listen()];
  }

  /** Carries out one call that meets with this fate. */
  async meeting<T>(fate: Fate, call: () => Promise<T>): Promise<T> {
    this.#fate = fate;
    try {
      return await call();
    } finally {
      this.#fate = 'executed';
    }
  }

  catchUp(): Promise<void> {
    return this.#unreliable.catchUp();
  }

  create(client: HistoryRecorder, loginId: string, options: Partial<CallInputs['create']> = {}) {
    const sessionId = client.storage.nextSessionId(loginId);
    const limits = { perLogin: 10, onLimit: 'reject' } as const;
    const input = { sessionId, loginId, idleTimeoutMs: HOUR_MS, limits, historyRetentionMs, ...options };
    return client.call('create', { ...input, writeId: client.nextWriteId() });
  }

  replace(client: HistoryRecorder, sessionId: string, expectedVersion: number, touch = false) {
    return client.call('replace', { sessionId, expectedVersion, touch, writeId: client.nextWriteId() });
  }

  rotate(client: HistoryRecorder, sessionId: string, expectedVersion: number) {
    const successorId = client.storage.nextSessionId('');
    const input = { sessionId, expectedVersion, successorId, graceMs: 1_000, historyRetentionMs };
    return client.call('rotate', { ...input, writeId: client.nextWriteId() });
  }

  end(client: HistoryRecorder, sessionId: string) {
    const writeId = client.nextWriteId();
    return client.call('end', { sessionId, reason: 'logged-out', historyRetentionMs, writeId });
  }

  endAll(client: HistoryRecorder, loginId: string, exceptSessionId?: string) {
    const writeId = client.nextWriteId();
    return client.call('endAll', { loginId, exceptSessionId, reason: 'kicked-out', historyRetentionMs, writeId });
  }

  sweep(client: HistoryRecorder) {
    return client.call('sweep', { limit: 100, historyRetentionMs });
  }

  /** Reads the final state and returns the history up to here. */
  async finish(): Promise<History> {
    await recordFinalState({ ...this.#options(), ...subjectsOf(this.entries) });
    await new Promise((resolve) => setImmediate(resolve));
    for (const stop of this.#stops) stop();
    return historyOf(this.entries);
  }

  #options() {
    const write = (entry: HistoryEntry): void => void this.entries.push(entry);
    return { storage: this.#unreliable.storage, write, time: () => ++this.#time };
  }
}

/** A history with something of everything that may happen, and its calls by name. */
export async function recordValidHistory() {
  const clients = new ScriptedClients();
  const { a, b } = clients;

  const sessionId = a.storage.nextSessionId('ada');
  const readTooEarly = await b.call('get', { sessionId });
  const created = await clients.create(a, 'ada', { sessionId });
  const listed = await b.call('listByLogin', { loginId: 'ada' });
  const firstUpdate = await clients.replace(a, sessionId, 1);
  const firstRead = await b.call('get', { sessionId });
  const conflict = await clients.replace(b, sessionId, 1);
  const secondUpdate = await clients.replace(b, sessionId, 2, true);
  const secondRead = await a.call('get', { sessionId });
  const touched = await a.call('touch', { sessionIds: [sessionId] });
  const [overlapped, readMeanwhile] = await Promise.all([
    clients.replace(a, sessionId, 3),
    b.call('get', { sessionId }),
  ]);
  const replyLost = await clients.meeting('reply-lost', () => clients.replace(a, sessionId, 4));
  const readAfterReplyLost = await b.call('get', { sessionId });
  const late = await clients.meeting('late', () => clients.replace(b, sessionId, 5));
  const readBeforeLate = await a.call('get', { sessionId });
  await clients.catchUp();
  const readAfterLate = await a.call('get', { sessionId });
  const notApplied = await clients.meeting('refused', () => clients.replace(a, sessionId, 6));
  const lastRead = await b.call('get', { sessionId });
  const rotated = await clients.rotate(a, sessionId, 6);
  const readRotated = await b.call('get', { sessionId });

  const ended = await clients.end(b, rotated.input.successorId);
  const endedAgain = await clients.end(a, rotated.input.successorId);
  const history = await a.call('listHistory', { loginId: 'ada' });

  const shortLived = await clients.create(a, 'ben', { idleTimeoutMs: 100 });
  clients.clock.advance(50);
  const touchedShort = await b.call('touch', { sessionIds: [shortLived.input.sessionId] });
  const readShort = await a.call('get', { sessionId: shortLived.input.sessionId });
  clients.clock.advance(200);
  const readDue = await a.call('get', { sessionId: shortLived.input.sessionId });
  const swept = await clients.sweep(b);
  const displaced = await clients.create(b, 'ben');
  const displacing = await clients.create(a, 'ben', { limits: { perLogin: 1, onLimit: 'end-oldest' } });

  const kickedOut = await clients.create(a, 'cleo');
  const kept = await clients.create(b, 'cleo');
  const endedAll = await clients.endAll(a, 'cleo', kept.input.sessionId);
  const readKept = await b.call('get', { sessionId: kept.input.sessionId });
  const limitReached = await clients.create(b, 'cleo', { limits: { perLogin: 1, onLimit: 'reject' } });
  const notCreated = await clients.meeting('refused', () => clients.create(a, 'cleo'));
  const neverCreated = await clients.meeting('lost', () => clients.create(a, 'cleo'));

  const doomed = await clients.create(b, 'dora');
  const lateEnd = await clients.meeting('late', () => clients.end(a, doomed.input.sessionId));
  const readDoomed = await b.call('get', { sessionId: doomed.input.sessionId });
  await clients.catchUp();
  const readEndedLate = await b.call('get', { sessionId: doomed.input.sessionId });

  return {
    history: await clients.finish(),
    calls: {
      readTooEarly,
      created,
      listed,
      firstUpdate,
      firstRead,
      conflict,
      secondUpdate,
      secondRead,
      touched,
      overlapped,
      readMeanwhile,
      replyLost,
      readAfterReplyLost,
      late,
      readBeforeLate,
      readAfterLate,
      notApplied,
      lastRead,
      rotated,
      readRotated,
      ended,
      endedAgain,
      historyOfAda: history,
      shortLived,
      touchedShort,
      readShort,
      readDue,
      swept,
      displaced,
      displacing,
      kickedOut,
      kept,
      endedAll,
      readKept,
      limitReached,
      notCreated,
      neverCreated,
      doomed,
      lateEnd,
      readDoomed,
      readEndedLate,
    },
  };
}
