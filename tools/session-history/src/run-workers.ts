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
  /** Empty: other data would be reported as written by no call. */
  readonly storage: StorageChoice;
  readonly seed: number;
  /** How many calls each process has under way at once. Default 4. */
  readonly concurrency?: number;
  /**
   * Injects faults into the store or the processes (it receives their ids), once all are running. When it resolves,
   * the store must work again: the final state is read then.
   */
  readonly faults?: (pids: readonly number[]) => Promise<void>;
}

/**
 * Runs random operations in several processes that share one store, then makes one of them read the final state while
 * the others keep listening. Rejects if a process fails; killing a process from outside only ends it early.
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
    await Promise.all(workers.map((worker) => worker.printed('ready')));
    for (const worker of workers) worker.send('start');
    await Promise.all([...workers.map((worker) => worker.printed('stopped')), faults?.(workers.map(({ pid }) => pid))]);
    const witness = workers.find(({ isRunning }) => isRunning);
    if (!witness) throw new Error('No worker is left to read the final state.');
    witness.send(JSON.stringify(subjectsOf((await readHistory(files)).calls)));
    await witness.printed('final state');
    if (!witness.isRunning) throw new Error('The worker that read the final state was killed.');
    await Promise.all(workers.map((worker) => worker.finish()));
    return await readHistory(files);
  } finally {
    for (const worker of workers) worker.kill();
    await rm(folder, { recursive: true, force: true });
  }
}
