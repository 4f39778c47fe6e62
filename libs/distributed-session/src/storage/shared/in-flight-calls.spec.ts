import { describe, expect, it } from '@jest/globals';
import { InFlightCalls } from './in-flight-calls.js';

/** Whether what was awaited is settled after all that is under way now. */
async function isSettled(settled: Promise<void>): Promise<boolean> {
  let isOver = false;
  void settled.then(() => (isOver = true));
  for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);
  return isOver;
}

describe('CallsUnderWay', () => {
  it('is settled where there are none', async () => {
    expect(await isSettled(new InFlightCalls().settled())).toBe(true);
  });

  it('is settled once the last one has ended', async () => {
    const calls = new InFlightCalls();
    calls.begin();
    calls.begin();
    const settled = calls.settled();
    calls.end();
    expect(await isSettled(settled)).toBe(false);
    calls.end();
    expect(await isSettled(settled)).toBe(true);
  });

  it('waits for the round that a call begins when its first one is over', async () => {
    const calls = new InFlightCalls();
    calls.begin();
    const settled = calls.settled();
    await new Promise(setImmediate);
    calls.end();
    await Promise.resolve();
    calls.begin();
    expect(await isSettled(settled)).toBe(false);
    calls.end();
    expect(await isSettled(settled)).toBe(true);
  });

  it('waits for a call that is begun in the same breath', async () => {
    const calls = new InFlightCalls();
    const settled = calls.settled();
    calls.begin();
    expect(await isSettled(settled)).toBe(false);
    calls.end();
    expect(await isSettled(settled)).toBe(true);
  });
});
