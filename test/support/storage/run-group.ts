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
import { recordQuietState } from '@distributed-session/session-history/quiet-state.js';
import { runRandomOperations } from '@distributed-session/session-history/random-operations.js';
import { historyOf } from '@distributed-session/session-history/read-history.js';

export interface RunGroupOptions {
  /** One client each. */
  readonly storages: readonly SessionStorage[];
  readonly seed: number;
  /**
   * What happens meanwhile; it may ask how many calls were made so far. When it resolves, the store must work again;
   * the storage it resolves to sees what is there.
   */
  readonly meanwhile: (countCalls: () => number) => Promise<SessionStorage>;
}

/** In milliseconds: between two calls of a lane, so that the servers have time for what befalls them. */
const PAUSE_MS = 2;
const PAUSE_AFTER_ERROR_MS = 25;

/** Lets a client of each storage do random operations until something is over, and returns their history with the quiet state. */
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
  await recordQuietState({ storage: witness, ...subjectsOf(entries), write });
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
