import { describe, expect, it } from '@jest/globals';
import { SharedOpening } from './shared-opening.js';

/** What is opened and shut, step by step, as the test lets it. */
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

  /** What is begun from now on waits until the function that is returned is called. */
  hold(): () => void {
    let release: (() => void) | undefined;
    this.#gate = new Promise((resolve) => {
      release = resolve;
    });
    return () => release?.();
  }
}

/** What a promise rejects with. */
async function refusalOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}

describe('SharedOpening', () => {
  it('is opened by the first owner and shut by the last, and can be opened again', async () => {
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

  it('ignores a close that nobody owns', async () => {
    const { shared, steps } = new Door();
    await shared.close();
    await shared.connect();
    await shared.close();
    await shared.close();
    await shared.connect();
    expect(shared.current).toBe('opening 2');
    expect(steps).toEqual(['open', 'shut opening 1', 'is shut', 'open']);
  });

  it('is not open while it is shut, and is opened again only then', async () => {
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

  it('tells those who were opening it when it is closed meanwhile, and shuts what was opened', async () => {
    const door = new Door();
    const release = door.hold();
    const told = refusalOf(door.shared.connect());
    const closing = door.shared.close();
    const again = door.shared.connect();
    release();
    expect(await told).toMatchObject({ code: 'ERR_STORAGE_UNAVAILABLE' });
    await Promise.all([closing, again]);
    expect(door.steps).toEqual(['open', 'shut opening 1', 'is shut', 'open']);
    expect(door.shared.current).toBe('opening 2');
    await door.shared.close();
    expect(door.shared.current).toBeUndefined();
  });

  it('tells all who were opening it when that fails, counts none of them, and can be tried again', async () => {
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

  it('is closed without a fault while it fails to open: there is nothing to shut', async () => {
    const door = new Door();
    door.failOnce();
    const told = refusalOf(door.shared.connect());
    await door.shared.close();
    expect(await told).toMatchObject({ message: 'stuck' });
    expect(door.steps).toEqual(['open']);
    await door.shared.connect();
    expect(door.shared.current).toBe('opening 1');
  });
});
