import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { ServiceAuthenticationError } from '../errors/service.errors.js';
import { RefusalPace } from './refusal-pace.js';

describe('RefusalPace', () => {
  let pace: RefusalPace;
  let settled: number;

  beforeEach(() => {
    jest.useFakeTimers();
    pace = new RefusalPace();
    settled = 0;
  });

  afterEach(() => {
    jest.useRealTimers();
  });

  function refuse(count: number, retryAfterMs: number | undefined = 1_000): void {
    for (let n = 0; n < count; n++) {
      pace.of(Promise.reject(new ServiceAuthenticationError(retryAfterMs))).catch(() => settled++);
    }
  }

  async function settledAfter(ms: number): Promise<number> {
    await jest.advanceTimersByTimeAsync(ms);
    return settled;
  }

  it('lets fifty refusals through at once, and then fifty in a second', async () => {
    refuse(150);
    expect(await settledAfter(0)).toBe(50);
    expect(await settledAfter(1_000)).toBe(100);
    expect(await settledAfter(1_000)).toBe(150);
    await jest.advanceTimersByTimeAsync(10_000);
    refuse(51);
    expect(await settledAfter(0)).toBe(200);
  });

  it('delays no refusal for more than two seconds, and holds at most a thousand', async () => {
    refuse(1_100);
    expect(await settledAfter(0)).toBe(100);
    expect(await settledAfter(2_000)).toBe(1_100);
  });

  it('delays neither results nor other errors', async () => {
    refuse(200);
    await expect(pace.of(Promise.resolve('result'))).resolves.toBe('result');
    await expect(pace.of(Promise.reject(new TypeError('other')))).rejects.toThrow('other');
    await expect(pace.of(Promise.reject(new ServiceAuthenticationError()))).rejects.toThrow('do not match');
  });
});
