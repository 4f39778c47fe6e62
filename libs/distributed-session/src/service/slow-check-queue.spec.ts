import { beforeEach, describe, expect, it } from '@jest/globals';
import { SlowCheckQueue } from './slow-check-queue.js';

const busy = { code: 'ERR_SERVICE_AUTHENTICATION', retryAfterMs: 1_000 };

describe('SlowCheckQueue', () => {
  let queue: SlowCheckQueue;
  /** The checks that have started, in order. */
  let started: string[];
  /** Ends the check that has run for the longest time. */
  let ends: (() => void)[];
  let now: number;

  beforeEach(() => {
    now = 0;
    queue = new SlowCheckQueue(1, () => now);
    started = [];
    ends = [];
  });

  function check(name: string, source = name, rank = 0): Promise<string> {
    return queue.run(source, rank, async () => {
      started.push(name);
      await new Promise<void>((end) => ends.push(end));
      return name;
    });
  }

  /** Ends running checks until none is left. */
  async function finish(): Promise<void> {
    for (let end = ends.shift(); end; end = ends.shift()) {
      end();
      await new Promise(setImmediate);
    }
  }

  it('runs at most as many checks at once as it may, and the others when those end', async () => {
    queue = new SlowCheckQueue(2);
    const all = ['a', 'b', 'c', 'd'].map((name) => check(name));
    expect(started).toEqual(['a', 'b']);
    ends.shift()!();
    await new Promise(setImmediate);
    expect(started).toEqual(['a', 'b', 'c']);
    await finish();
    expect(await outcomes(all)).toEqual(['a', 'b', 'c', 'd']);
  });

  it('continues after a check that fails', async () => {
    const failing = queue.run('a', 0, () => Promise.reject(new Error('corrupt')));
    const next = check('b');
    await expect(failing).rejects.toThrow('corrupt');
    await finish();
    expect(await next).toBe('b');
  });

  it('lets sources take turns, so that one with many checks delays another by one', async () => {
    const many = Array.from({ length: 10 }, (_, n) => check(`attack-${n}`, 'attacker'));
    const all = [...many, check('pay'), check('order-1', 'order'), check('order-2', 'order')];
    await finish();
    await Promise.all(all);
    expect(started.slice(0, 6)).toEqual(['attack-0', 'attack-1', 'pay', 'order-1', 'attack-2', 'order-2']);
  });

  it('starts the source with the lowest rank first', async () => {
    const all = [
      check('running'),
      check('failed', 'failed', 3),
      check('new', 'new', 0),
      check('known', 'known', -1_000),
    ];
    await finish();
    await Promise.all(all);
    expect(started).toEqual(['running', 'known', 'new', 'failed']);
  });

  it("refuses a source's checks beyond its share at once, and no other source's", async () => {
    const all = Array.from({ length: 20 }, (_, n) => check(`a${n}`, 'attacker'));
    const refused = await outcomes(all.slice(17));
    expect(refused).toEqual([1_000, 1_000, 1_000]);
    const other = check('pay');
    await finish();
    expect(await other).toBe('pay');
    expect(await outcomes(all.slice(0, 17))).toEqual(all.slice(0, 17).map((_, n) => `a${n}`));
  });

  it('is full at 64 waiting checks, and then refuses a further one of no lower rank at once', async () => {
    const all = Array.from({ length: 65 }, (_, n) => check(`a${n}`));
    await expect(check('late')).rejects.toMatchObject(busy);
    await finish();
    expect(await outcomes(all)).toEqual(all.map((_, n) => `a${n}`));
  });

  it('makes room for a source with a lower rank, or with fewer checks, at the expense of the worst', async () => {
    const fresh = Array.from({ length: 49 }, (_, n) => check(`fresh-${n}`));
    const failed = Array.from({ length: 16 }, (_, n) => check(`failed-${n}`, 'failed', 3));
    const known = check('known', 'known', -1_000);
    const late = check('late');
    expect(await outcomes(failed.slice(14))).toEqual([1_000, 1_000]);
    await finish();
    expect(await outcomes([known, late])).toEqual(['known', 'late']);
    expect(started[1]).toBe('known');
    expect(await outcomes(failed.slice(0, 14))).toEqual(failed.slice(0, 14).map((_, n) => `failed-${n}`));
    expect(await outcomes(fresh)).toHaveLength(49);
  });

  it('prefers a source that it had no room for, when it tries again', async () => {
    const all = Array.from({ length: 65 }, (_, n) => check(`a${n}`));
    await expect(check('pay')).rejects.toMatchObject(busy);
    await expect(check('another')).rejects.toMatchObject(busy);
    const again = check('pay');
    expect(await outcomes(all.slice(64))).toEqual([1_000]);
    await finish();
    expect([await again, started[1]]).toEqual(['pay', 'pay']);
  });

  it('refuses checks that have waited for more than three seconds, and prefers their sources afterwards', async () => {
    const running = check('running');
    const late = ['a', 'b'].map((name) => check(name));
    now = 1;
    const inTime = check('in-time');
    now = 3_001;
    ends.shift()!();
    expect(await outcomes([running, ...late])).toEqual(['running', 1_000, 1_000]);
    const all = [check('c'), check('b'), inTime];
    await finish();
    await Promise.all(all);
    expect(started).toEqual(['running', 'in-time', 'b', 'c']);
  });

  it('forgets sources without waiting checks, and then runs at once', async () => {
    const all = Array.from({ length: 65 }, (_, n) => check(`a${n}`));
    await finish();
    await Promise.all(all);
    const again = check('again');
    expect(started.at(-1)).toBe('again');
    await finish();
    expect(await again).toBe('again');
  });
});

/** The results of these checks, and for refused ones the time to wait. */
const outcomes = async (checks: readonly Promise<string>[]) =>
  (await Promise.allSettled(checks)).map((settled) =>
    settled.status === 'fulfilled' ? settled.value : (settled.reason as { retryAfterMs: number }).retryAfterMs,
  );
