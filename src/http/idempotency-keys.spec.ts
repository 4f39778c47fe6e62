import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { FakeClock } from 'nestjs-distributed-session/testing';
import { type IdempotentRequest, IdempotencyKeys } from './idempotency-keys.js';

const RETENTION_MS = 600_000;
const REQUEST: IdempotentRequest = { serviceId: 'user', operation: 'createSession', key: 'a', body: '{}' };

describe('IdempotencyKeys', () => {
  let clock: FakeClock;
  let keys: IdempotencyKeys;
  let perform: jest.Mock<() => Promise<number>>;

  beforeEach(() => {
    clock = new FakeClock();
    keys = new IdempotencyKeys(RETENTION_MS, clock);
    let performed = 0;
    perform = jest.fn(() => Promise.resolve(++performed));
  });

  const once = (changes: Partial<IdempotentRequest> = {}) => keys.once({ ...REQUEST, ...changes }, perform);

  it('performs a request once and repeats its response', async () => {
    expect(await once()).toEqual({ response: 1, isReplay: false });
    expect(await once()).toEqual({ response: 1, isReplay: true });
    expect(perform).toHaveBeenCalledTimes(1);
  });

  it('stores a response for the retention time, counted from the first request', async () => {
    await once();
    clock.advance(RETENTION_MS - 1);
    expect(await once()).toEqual({ response: 1, isReplay: true });
    clock.advance(1);
    expect(await once()).toEqual({ response: 2, isReplay: false });
    clock.advance(RETENTION_MS - 1);
    expect(await once()).toEqual({ response: 2, isReplay: true });
  });

  it('accepts a key for a different request after the retention time', async () => {
    await once();
    await expect(once({ body: '{"other":true}' })).rejects.toMatchObject({ code: 'ERR_IDEMPOTENCY_KEY_REUSED' });
    clock.advance(RETENTION_MS);
    expect(await once({ body: '{"other":true}' })).toEqual({ response: 2, isReplay: false });
  });

  it('performs concurrent repeats once', async () => {
    const responses = await Promise.all([once(), once(), once()]);
    expect(responses.map(({ response, isReplay }) => [response, isReplay])).toEqual([
      [1, false],
      [1, true],
      [1, true],
    ]);
  });

  it('repeats the response of a request that took longer than the retention time', async () => {
    let finish!: (response: number) => void;
    perform.mockReturnValueOnce(new Promise((resolve) => (finish = resolve)));
    const [first, second] = [once(), once()];
    clock.advance(RETENTION_MS);
    finish(7);
    expect([(await first).response, (await second).response]).toEqual([7, 7]);
    expect(await once()).toEqual({ response: 1, isReplay: false });
  });

  it('returns an error to all concurrent repeats, and does not store it', async () => {
    perform.mockRejectedValueOnce(new Error('down'));
    const [first, second] = [once(), once()];
    await expect(first).rejects.toThrow('down');
    await expect(second).rejects.toThrow('down');
    expect(await once()).toEqual({ response: 1, isReplay: false });
  });

  it('keeps the response of a later request when an earlier one fails after its retention time', async () => {
    let fail!: (error: Error) => void;
    perform.mockReturnValueOnce(new Promise((_resolve, reject) => (fail = reject)));
    const first = once();
    clock.advance(RETENTION_MS);
    expect(await once()).toEqual({ response: 1, isReplay: false });
    fail(new Error('late'));
    await expect(first).rejects.toThrow('late');
    expect(await once()).toEqual({ response: 1, isReplay: true });
  });

  it('distinguishes services, operations and keys, even if their concatenations are equal', async () => {
    const requests = [
      REQUEST,
      { ...REQUEST, serviceId: 'pay' },
      { ...REQUEST, operation: 'rotateSession' },
      { ...REQUEST, key: 'b' },
      { ...REQUEST, serviceId: 'user","createSession', operation: '' },
      { ...REQUEST, serviceId: '', key: 'usercreateSessiona' },
    ];
    for (const [index, request] of requests.entries()) {
      expect(await keys.once(request, perform)).toEqual({ response: index + 1, isReplay: false });
    }
  });

  it('removes the oldest keys beyond the limit, and keeps the newest', async () => {
    for (let index = 0; index <= 10_000; index++) await once({ key: String(index) });
    expect((await once({ key: '10000' })).isReplay).toBe(true);
    expect((await once({ key: '1' })).isReplay).toBe(true);
    expect((await once({ key: '0' })).isReplay).toBe(false);
  });
});
