import { describe, expect, test } from '@jest/globals';
import { InMemorySessionStorage } from 'nestjs-distributed-session';
import { BROKEN_STORAGES } from './broken-storages.js';
import { checkHistory } from '../src/check-history.js';
import { DAMAGED_LISTS_AND_FEEDS } from './damaged-lists-and-feeds.js';
import { DAMAGED_OUTCOMES } from './damaged-outcomes.js';
import { DAMAGED_READS } from './damaged-reads.js';
import { describeViolations } from '../src/describe-violations.js';
import { HistoryEditor } from './edit-history.js';
import { recordValidHistory } from './valid-history.js';
import { VALID_VARIATIONS } from './valid-variations.js';
import { runClients } from '../src/run-clients.js';
import { runWorkers } from '../src/run-workers.js';
import { SeededRandom } from '../src/seeded-random.js';
import { type Fate, UnreliableStorage } from '../src/unreliable-storage.js';

/** In the scripted histories nothing is ever late. */
const EXACTLY = { clockToleranceMs: 0, feedLagMs: 0 };
/** In memory little is late, but the event loop may be busy. */
const IN_MEMORY = { clockToleranceMs: 5, feedLagMs: 5 };

const DAMAGES = [...DAMAGED_READS, ...DAMAGED_OUTCOMES, ...DAMAGED_LISTS_AND_FEEDS];

describe('checkHistory()', () => {
  test.each(VALID_VARIATIONS)('finds nothing when %s', async (_name, vary) => {
    const { history, calls } = await recordValidHistory();
    const editor = new HistoryEditor(history);
    vary(editor, calls);
    expect(describeViolations(checkHistory(editor.history, EXACTLY))).toEqual([]);
  });

  test.each(DAMAGES)('%s: finds %s', async (invariant, _name, says, damage) => {
    const { history, calls } = await recordValidHistory();
    const editor = new HistoryEditor(history);
    damage(editor, calls);
    const found = checkHistory(editor.history, EXACTLY).map((violation) => [violation.invariant, violation.sentence]);
    expect(found).toContainEqual([invariant, expect.stringMatching(says)]);
  });

  test('finds a history with too many entries', async () => {
    const { history } = await recordValidHistory();
    const editor = new HistoryEditor(history);
    const list = editor.finalRead('listHistory', 'ada');
    const [first] = list.result!.sessions;
    editor.answer(
      list,
      Array.from({ length: 51 }, (_, index) => ({ ...first, sessionId: `${index}` })),
    );
    const sentences = checkHistory(editor.history, EXACTLY).map(({ sentence }) => sentence);
    expect(sentences).toContain('The history of ada had 51 entries, more than it may.');
  });

  test.each(BROKEN_STORAGES)('%s: finds a storage that %s', async (invariant, _name, BrokenStorage) => {
    const history = await runClients({
      count: 4,
      durationMs: 200,
      leastCalls: 3_000,
      seed: 7,
      storage: new BrokenStorage(),
    });
    const violations = checkHistory(history, IN_MEMORY);
    expect(violations.map((violation) => violation.invariant)).toContain(invariant);
  });
});

describe('random operations', () => {
  test('of eight clients on one storage keep every promise', async () => {
    const storage = new InMemorySessionStorage();
    const history = await runClients({ count: 8, durationMs: 2_000, seed: 1, storage, leastCalls: 5_000 });
    expect(describeViolations(checkHistory(history, IN_MEMORY))).toEqual([]);
    expect(history.calls.length).toBeGreaterThanOrEqual(5_000);
  });

  test('keep every promise when replies are slow, late and lost', async () => {
    const random = new SeededRandom(3);
    const storage = new InMemorySessionStorage();
    let fates = { executed: 90, refused: 3, 'reply-lost': 3, lost: 2, late: 2 } satisfies Record<Fate, number>;
    const pause = () => new Promise<void>((resolve) => (random.chance(0.5) ? setImmediate(resolve) : resolve()));
    const unreliable = new UnreliableStorage(storage, () => random.weighted(fates), pause);
    const history = await runClients({
      count: 8,
      durationMs: 1_000,
      leastCalls: 2_000,
      seed: 2,
      storage: unreliable.storage,
      finalStorage: storage,
      whenStable: () => unreliable.catchUp(),
    });
    expect(describeViolations(checkHistory(history, IN_MEMORY))).toEqual([]);
    expect(new Set(history.calls.map(({ outcome }) => outcome))).toEqual(
      new Set(['ok', 'refused', 'not-applied', 'unknown']),
    );
  });

  test('of a separate process return a history that keeps every promise', async () => {
    const history = await runWorkers({ count: 1, durationMs: 400, seed: 4, storage: { memory: {} } });
    expect(describeViolations(checkHistory(history, IN_MEMORY))).toEqual([]);
    expect(history.calls.length).toBeGreaterThan(100);
  });

  test('reject when a process fails', async () => {
    const run = runWorkers({ count: 1, durationMs: 1, seed: 5, storage: {} });
    await expect(run).rejects.toThrow(/A worker ended with 1:[^]*Not a storage/);
  });
});
