import { describe, expect, it } from '@jest/globals';
import { InFlightCalls } from './in-flight-calls.js';

/** Whether the promise is settled after a few turns of the event loop. */
async function isSettled(settled: Promise<void>): Promise<boolean> {
  let isOver = false;
  void settled.then(() => (isOver = true));
  for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);
  return isOver;
}

describe('InFlightCalls', () => {
  it('settled() resolves if no call is in flight', async () => {
    expect(await isSettled(new InFlightCalls().settled())).toBe(true);
  });

  it('settled() resolves when the last call has ended', async () => {
    const calls = new InFlightCalls();
    calls.begin();
    calls.begin();
    const settled = calls.settled();
    calls.end();
    expect(await isSettled(settled)).toBe(false);
    calls.end();
    expect(await isSettled(settled)).toBe(true);
  });

  it('settled() waits for a call that begins when another ends', async () => {
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

  it('settled() waits for a call that begins in the same turn', async () => {
    const calls = new InFlightCalls();
    const settled = calls.settled();
    calls.begin();
    expect(await isSettled(settled)).toBe(false);
    calls.end();
    expect(await isSettled(settled)).toBe(true);
  });
});
