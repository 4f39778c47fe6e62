import { closeSync, openSync, writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { HistoryRecorder } from './history-recorder.js';
import { openStorage } from './open-storage.js';
import { recordFinalState } from './final-state.js';
import { runRandomOperations } from './random-operations.js';

/** @import { HistoryEntry } from './history.js' */
/** @import { StorageChoice } from './open-storage.js' */

/**
 * The first argument of a worker, as JSON. The worker records its calls, their results and the received changes in its
 * file and prints `stopped` when its time is up. With `hold`, it first prints `ready` and waits for a line of input, and
 * at the end keeps listening until its input ends. A second line, `{ "logins": [...], "sessionIds": [...] }`, makes it
 * read the final state of these and print `final state`.
 *
 * @typedef {object} WorkerTask
 * @property {StorageChoice} storage
 * @property {string} client
 * @property {number} [clients]
 * @property {number} seed
 * @property {number} durationMs
 * @property {number} [concurrency]
 * @property {string} file
 * @property {boolean} [hold]
 */

const SILENCE_MS = 200;
const WAIT_LIMIT_MS = 5_000;

/** @type {WorkerTask} */
const task = JSON.parse(process.argv[2] ?? '');
const file = openSync(task.file, 'a');
/** @param {HistoryEntry} entry */
// Synchronous, so that the entry survives the process.
const write = (entry) => writeSync(file, `${JSON.stringify(entry)}\n`);

const storage = await openStorage(task.storage);
const recorder = new HistoryRecorder({ storage, client: task.client, write });
const stopListening = recorder.listen();
const lines = task.hold ? createInterface({ input: process.stdin })[Symbol.asyncIterator]() : undefined;
console.log('ready');
await lines?.next();
await runRandomOperations({ ...task, storage, write, recorder });
console.log('stopped');
for (let line = await lines?.next(); line && !line.done; line = await lines?.next()) {
  await recordFinalState({ storage, ...JSON.parse(line.value), write });
  console.log('final state');
}
await untilSilent();
stopListening();
await storage.close();
closeSync(file);

/** Waits until nothing was received for a while: the last changes may still be on their way. */
async function untilSilent() {
  const since = recorder.time();
  for (;;) {
    const now = recorder.time();
    if (now - Math.max(since, recorder.lastReceivedAt) > SILENCE_MS * 1e6 || now - since > WAIT_LIMIT_MS * 1e6) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
