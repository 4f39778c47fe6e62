import { describe, expect, it } from '@jest/globals';
import { SharedOpening } from './shared-opening.js';

/** A resource that the test opens and shuts step by step. */
class Door {
  readonly steps: string[] = [];
  #opened = 0;
  #fails = 0;
  #gate: Promise<void> = Promise.resolve();
  readonly shared = new SharedOpening<string>({
    open: async () => {
      this.steps.push('open');
      await this.#gate;
      if (this.#fails-- > 0) throw new Error('stuck');
      return `opening ${++this.#opened}`;
    },
    shut: async (opened) => {
      this.steps.push(`shut ${opened}`);
      await this.#gate;
      this.steps.push('is shut');
    },
  });

  failOnce(): void {
    this.#fails = 1;
  }

  /** Holds back every step that begins from now on. Returns the function that releases them. */
  hold(): () => void {
    let release: (() => void) | undefined;
    this.#gate = new Promise((resolve) => {
      release = resolve;
    });
    return () => release?.();
  }
}

/** Returns the error that a promise rejects with. */
async function rejectionOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}

describe('SharedOpening', () => {
  it('the first owner opens it, the last shuts it, and it can be opened again', async () => {
    const { shared, steps } = new Door();
    expect(shared.current).toBeUndefined();
    await Promise.all([shared.connect(), shared.connect()]);
    await shared.close();
    expect(shared.current).toBe('opening 1');
    await shared.close();
    expect(shared.current).toBeUndefined();
    await shared.connect();
    expect(shared.current).toBe('opening 2');
    expect(steps).toEqual(['open', 'shut opening 1', 'is shut', 'open']);
  });

  it('close() without an owner is ignored', async () => {
    const { shared, steps } = new Door();
    await shared.close();
    await shared.connect();
    await shared.close();
    await shared.close();
    await shared.connect();
    expect(shared.current).toBe('opening 2');
    expect(steps).toEqual(['open', 'shut opening 1', 'is shut', 'open']);
  });

  it('connect() during a shutting opens it again after the shutting', async () => {
    const door = new Door();
    await door.shared.connect();
    const release = door.hold();
    const closing = door.shared.close();
    const connecting = door.shared.connect();
    expect(door.shared.current).toBeUndefined();
    await new Promise(setImmediate);
    expect(door.steps).toEqual(['open', 'shut opening 1']);
    release();
    await Promise.all([closing, connecting]);
    expect(door.steps).toEqual(['open', 'shut opening 1', 'is shut', 'open']);
    expect(door.shared.current).toBe('opening 2');
  });

  it('close() during the opening rejects connect() and shuts what was opened', async () => {
    const door = new Door();
    const release = door.hold();
    const rejection = rejectionOf(door.shared.connect());
    const closing = door.shared.close();
    const again = door.shared.connect();
    release();
    expect(await rejection).toMatchObject({ code: 'ERR_STORAGE_UNAVAILABLE' });
    await Promise.all([closing, again]);
    expect(door.steps).toEqual(['open', 'shut opening 1', 'is shut', 'open']);
    expect(door.shared.current).toBe('opening 2');
    await door.shared.close();
    expect(door.shared.current).toBeUndefined();
  });

  it('a failed opening rejects every connect(), counts no owner, and can be retried', async () => {
    const door = new Door();
    door.failOnce();
    const results = await Promise.allSettled([door.shared.connect(), door.shared.connect()]);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(door.shared.current).toBeUndefined();
    await door.shared.connect();
    await door.shared.close();
    expect(door.shared.current).toBeUndefined();
    expect(door.steps).toEqual(['open', 'open', 'shut opening 1', 'is shut']);
  });

  it('close() during a failing opening resolves and shuts nothing', async () => {
    const door = new Door();
    door.failOnce();
    const rejection = rejectionOf(door.shared.connect());
    await door.shared.close();
    expect(await rejection).toMatchObject({ message: 'stuck' });
    expect(door.steps).toEqual(['open']);
    await door.shared.connect();
    expect(door.shared.current).toBe('opening 1');
  });
});
