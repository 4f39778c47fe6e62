import type { SessionStorage } from 'nestjs-distributed-session';
import type { History, HistoryEntry } from './history.js';
import { HistoryRecorder } from './history-recorder.js';
import { subjectsOf } from './history-subjects.js';
import { recordFinalState } from './final-state.js';
import { runRandomOperations } from './random-operations.js';
import { historyOf } from './read-history.js';

const WAIT_LIMIT_MS = 10_000;

export interface RunClientsOptions {
  readonly count: number;
  readonly durationMs: number;
  /** On a busy machine the run continues beyond the duration, by at most ten seconds, until it has made this many calls. */
  readonly leastCalls?: number;
  readonly seed: number;
  /** Shared by the clients. */
  readonly storage: SessionStorage;
  /** Where the final state is read. Default: the same. */
  readonly finalStorage?: SessionStorage;
  /** Awaited before the final state is read. */
  readonly whenStable?: () => Promise<void>;
}

/** Runs several clients in this process on one storage and returns their history with the final state. */
export async function runClients(options: RunClientsOptions): Promise<History> {
  const { count, durationMs, leastCalls = 0, seed, storage, finalStorage = storage, whenStable } = options;
  const endsAt = performance.now() + durationMs;
  const entries: HistoryEntry[] = [];
  let calls = 0;
  const write = (entry: HistoryEntry): void => {
    entries.push(entry);
    if (entry.kind === 'call' && entry.endedAt !== undefined) calls++;
  };
  const until = (): boolean => {
    const overtimeMs = performance.now() - endsAt;
    return overtimeMs > WAIT_LIMIT_MS || (overtimeMs > 0 && calls >= leastCalls);
  };
  const recorders = Array.from({ length: count }, (_, index) => {
    return new HistoryRecorder({ storage, client: `client-${index}`, write });
  });
  const stops = recorders.map((recorder) => recorder.listen());
  await Promise.all(
    recorders.map((recorder, index) => {
      const { client } = recorder;
      return runRandomOperations({ storage, client, clients: count, seed: seed + index, until, write, recorder });
    }),
  );
  await whenStable?.();
  await recordFinalState({ storage: finalStorage, ...subjectsOf(entries), write });
  // One more turn of the event loop, so that the last changes are received.
  await new Promise((resolve) => setImmediate(resolve));
  for (const stop of stops) stop();
  return historyOf(entries);
}
