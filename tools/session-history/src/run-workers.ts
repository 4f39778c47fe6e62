import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { History } from './history.js';
import { subjectsOf } from './history-subjects.js';
import type { StorageChoice } from './open-storage.js';
import { readHistory } from './read-history.js';
import { WorkerProcess } from './worker-process.js';

export interface RunWorkersOptions {
  /** How many processes. */
  readonly count: number;
  readonly durationMs: number;
  /** Empty: what others have written there would count as nobody's. */
  readonly storage: StorageChoice;
  readonly seed: number;
  /** How many calls each process has under way at once. Default 4. */
  readonly concurrency?: number;
  /**
   * What befalls the store, or the processes, of which it is given the ids, from when all are at work. When it
   * resolves, the store must work again: the quiet state is read then.
   */
  readonly faults?: (pids: readonly number[]) => Promise<void>;
}

/**
 * Runs random operations in several processes that share one store, then lets one of them read the quiet state while
 * the others go on listening. Rejects if a process fails; one that was killed from outside has only an early end.
 */
export async function runWorkers(options: RunWorkersOptions): Promise<History> {
  const { count, durationMs, storage, seed, concurrency, faults } = options;
  const folder = await mkdtemp(join(tmpdir(), 'history-'));
  const files = Array.from({ length: count }, (_, index) => join(folder, `${index}.jsonl`));
  const workers = files.map((file, index) => {
    const task = {
      storage,
      client: `worker-${index}`,
      clients: count,
      seed: seed + index,
      durationMs,
      concurrency,
      file,
    };
    return new WorkerProcess({ ...task, hold: true });
  });
  try {
    await Promise.all(workers.map((worker) => worker.said('ready')));
    for (const worker of workers) worker.tell('start');
    await Promise.all([...workers.map((worker) => worker.said('stopped')), faults?.(workers.map(({ pid }) => pid))]);
    const witness = workers.find(({ isRunning }) => isRunning);
    if (!witness) throw new Error('No worker is left to read the quiet state.');
    witness.tell(JSON.stringify(subjectsOf((await readHistory(files)).calls)));
    await witness.said('quiet');
    if (!witness.isRunning) throw new Error('The worker that read the quiet state was killed.');
    await Promise.all(workers.map((worker) => worker.finish()));
    return await readHistory(files);
  } finally {
    for (const worker of workers) worker.kill();
    await rm(folder, { recursive: true, force: true });
  }
}
