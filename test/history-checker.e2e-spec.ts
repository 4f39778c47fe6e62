import { describe, expect, test } from '@jest/globals';
import { InMemorySessionStorage } from 'nestjs-distributed-session';
import { DAMAGED_CALLS } from './support/history/bad-histories.js';
import { DAMAGED_LISTS_AND_FEEDS } from './support/history/bad-lists-and-feeds.js';
import { BROKEN_STORAGES } from './support/history/broken-storages.js';
import { checkHistory } from './support/history/check-history.js';
import { describeViolations } from './support/history/describe-violations.js';
import { HistoryEditor } from './support/history/edit-history.js';
import { recordGoodHistory } from './support/history/good-history.js';
import { GOOD_VARIATIONS } from './support/history/good-variations.js';
import { runClients } from './support/history/run-clients.js';
import { runWorkers } from './support/history/run-workers.js';
import { SeededRandom } from './support/history/seeded-random.js';
import { type Fate, UnreliableStorage } from './support/history/unreliable-storage.js';

/** In the scripted histories nothing is ever late. */
const EXACTLY = { clockToleranceMs: 0, feedLagMs: 0 };
/** In memory little is late, but the event loop may be busy. */
const IN_MEMORY = { clockToleranceMs: 5, feedLagMs: 5 };

describe('the checker of histories', () => {
  test.each(GOOD_VARIATIONS)('finds nothing when %s', async (_name, vary) => {
    const { history, calls } = await recordGoodHistory();
    const editor = new HistoryEditor(history);
    vary(editor, calls);
    expect(describeViolations(checkHistory(editor.history, EXACTLY))).toEqual([]);
  });

  test.each([...DAMAGED_CALLS, ...DAMAGED_LISTS_AND_FEEDS])('%s: finds %s', async (invariant, _name, damage) => {
    const { history, calls } = await recordGoodHistory();
    const editor = new HistoryEditor(history);
    damage(editor, calls);
    const violations = checkHistory(editor.history, EXACTLY);
    expect(violations.map((violation) => violation.invariant)).toContain(invariant);
  });

  test.each(BROKEN_STORAGES)('%s: finds a storage that %s', async (invariant, _name, BrokenStorage) => {
    const history = await runClients({ count: 4, durationMs: 200, seed: 7, storage: new BrokenStorage() });
    const violations = checkHistory(history, IN_MEMORY);
    expect(violations.map((violation) => violation.invariant)).toContain(invariant);
  });
});

describe('random operations', () => {
  test('of eight clients on one storage are thousands, and keep every promise', async () => {
    const storage = new InMemorySessionStorage();
    const history = await runClients({ count: 8, durationMs: 2_000, seed: 1, storage });
    expect(describeViolations(checkHistory(history, IN_MEMORY))).toEqual([]);
    expect(history.calls.length).toBeGreaterThan(5_000);
  });

  test('keep every promise when replies are slow, late and lost', async () => {
    const random = new SeededRandom(3);
    const storage = new InMemorySessionStorage();
    let fates = { 'carried-out': 90, refused: 3, 'reply-lost': 3, lost: 2, late: 2 } satisfies Record<Fate, number>;
    const pause = () => new Promise<void>((resolve) => (random.chance(0.5) ? setImmediate(resolve) : resolve()));
    const unreliable = new UnreliableStorage(storage, () => random.weighted(fates), pause);
    const history = await runClients({
      count: 8,
      durationMs: 1_000,
      seed: 2,
      storage: unreliable.storage,
      quietStorage: storage,
      calm: () => unreliable.catchUp(),
    });
    expect(describeViolations(checkHistory(history, IN_MEMORY))).toEqual([]);
    expect(new Set(history.calls.map(({ outcome }) => outcome))).toEqual(
      new Set(['ok', 'refused', 'not-applied', 'unknown']),
    );
  });

  test('of a process of its own come back as a history that keeps every promise', async () => {
    const history = await runWorkers({ count: 1, durationMs: 400, seed: 4, storage: { memory: {} } });
    expect(describeViolations(checkHistory(history, IN_MEMORY))).toEqual([]);
    expect(history.calls.length).toBeGreaterThan(500);
  });
});
