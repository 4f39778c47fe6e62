import type { SessionStorage } from 'nestjs-distributed-session';
import type {
  CallInputs,
  CallOf,
  History,
  HistoryEntry,
  Operation,
} from '@distributed-session/session-history/history.js';
import { HistoryRecorder } from '@distributed-session/session-history/history-recorder.js';
import { subjectsOf } from '@distributed-session/session-history/history-subjects.js';
import { recordFinalState } from '@distributed-session/session-history/final-state.js';
import { runRandomOperations } from '@distributed-session/session-history/random-operations.js';
import { historyOf } from '@distributed-session/session-history/read-history.js';

export interface RunGroupOptions {
  /** Each has one client. */
  readonly storages: readonly SessionStorage[];
  readonly seed: number;
  /**
   * Runs beside the operations and may read the number of calls so far. When it resolves, the store must work again. The
   * storage that it resolves to reads the final state.
   */
  readonly meanwhile: (countCalls: () => number) => Promise<SessionStorage>;
}

/** The pause between two calls, in milliseconds, so that the servers have time to handle the faults. */
const PAUSE_MS = 2;
const PAUSE_AFTER_ERROR_MS = 25;

/** Runs random operations on each storage until `meanwhile` resolves, and returns the history with the final state. */
export async function runGroup({ storages, seed, meanwhile }: RunGroupOptions): Promise<History> {
  const entries: HistoryEntry[] = [];
  let calls = 0;
  const write = (entry: HistoryEntry): void => {
    entries.push(entry);
    if (entry.kind === 'call' && entry.endedAt !== undefined) calls += 1;
  };
  const recorders = storages.map((storage, index) => new PacedRecorder({ storage, client: `client-${index}`, write }));
  const stops = recorders.map((recorder) => recorder.listen());
  let isOver = false;
  const clients = recorders.map(async (recorder, index) => {
    const { storage, client } = recorder;
    const options = { storage, client, clients: storages.length, seed: seed + index, until: () => isOver };
    await runRandomOperations({ ...options, write, recorder });
  });
  const witness = await meanwhile(() => calls).finally(() => (isOver = true));
  await Promise.all(clients);
  await recordFinalState({ storage: witness, ...subjectsOf(entries), write });
  for (const stop of stops) stop();
  return historyOf(entries);
}

class PacedRecorder extends HistoryRecorder {
  override async call<Op extends Operation>(operation: Op, input: CallInputs[Op]): Promise<CallOf<Op>> {
    const call = await super.call(operation, input);
    const pauseMs = call.error === undefined ? PAUSE_MS : PAUSE_AFTER_ERROR_MS;
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
    return call;
  }
}
