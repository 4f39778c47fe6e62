import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { FakeClock } from 'nestjs-distributed-session/testing';
import { type IdempotentRequest, IdempotencyKeys } from './idempotency-keys.js';

const RETENTION_MS = 600_000;
const USER = { serviceId: 'user', keyId: 'k1', version: 1 };
const REQUEST: IdempotentRequest = { caller: USER, operation: 'createSession', key: 'a', body: '{}' };

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

  /** Performs a request whose response has a size of 1 MiB. */
  const large = (changes: Partial<IdempotentRequest>) =>
    keys.once({ ...REQUEST, ...changes }, () => Promise.resolve('x'.repeat(1024 * 1024 - 600)));

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

  it('distinguishes services, secrets, versions, operations and keys, even if their concatenations are equal', async () => {
    const requests = [
      REQUEST,
      { ...REQUEST, caller: { ...USER, serviceId: 'pay' } },
      { ...REQUEST, caller: { ...USER, keyId: 'k2' } },
      { ...REQUEST, caller: { ...USER, version: 2 } },
      { ...REQUEST, operation: 'rotateSession' },
      { ...REQUEST, key: 'b' },
      { ...REQUEST, caller: { ...USER, keyId: 'k1","1","createSession' }, operation: '' },
      { ...REQUEST, caller: { ...USER, keyId: '' }, key: 'k11createSessiona' },
    ];
    for (const [index, request] of requests.entries()) {
      expect(await keys.once(request, perform)).toEqual({ response: index + 1, isReplay: false });
    }
  });

  it('forgets the responses to one service, or to all', async () => {
    const pay = { caller: { ...USER, serviceId: 'pay' } };
    await once();
    await once(pay);
    keys.forget('user');
    expect([(await once(pay)).isReplay, (await once()).isReplay]).toEqual([true, false]);
    keys.forget();
    expect([(await once(pay)).isReplay, (await once()).isReplay]).toEqual([false, false]);
  });

  it('does not store a response that was forgotten while it was in flight', async () => {
    let finish!: (response: number) => void;
    perform.mockReturnValueOnce(new Promise((resolve) => (finish = resolve)));
    const first = once();
    keys.forget('user');
    finish(7);
    expect((await first).response).toBe(7);
    expect((await once()).isReplay).toBe(false);
  });

  it("removes a service's oldest entries beyond its number, and no other service's", async () => {
    const pay = { caller: { ...USER, serviceId: 'pay' } };
    await once(pay);
    for (let index = 0; index <= 1_000; index++) await once({ key: String(index) });
    expect((await once({ key: '1000' })).isReplay).toBe(true);
    expect((await once({ key: '1' })).isReplay).toBe(true);
    expect((await once({ key: '0' })).isReplay).toBe(false);
    expect((await once(pay)).isReplay).toBe(true);
  });

  it("counts the size of the responses, removes a service's oldest beyond 8 MiB, and no other service's", async () => {
    const pay = { caller: { ...USER, serviceId: 'pay' } };
    await once(pay);
    for (let index = 0; index < 9; index++) await large({ key: String(index) });
    expect((await once({ key: '8' })).isReplay).toBe(true);
    expect((await once({ key: '0' })).isReplay).toBe(false);
    expect((await once(pay)).isReplay).toBe(true);
  });

  it('removes entries of the largest services beyond 64 MiB, and none of a small one', async () => {
    const pay = { caller: { ...USER, serviceId: 'pay' } };
    await once(pay);
    for (let service = 0; service < 10; service++) {
      const caller = { ...USER, serviceId: `large-${service}` };
      for (let index = 0; index < 7; index++) await large({ caller, key: String(index) });
    }
    const stored = Array.from({ length: 10 }, (_, service) =>
      once({ caller: { ...USER, serviceId: `large-${service}` }, key: '6' }),
    );
    expect((await once(pay)).isReplay).toBe(true);
    // The newest entry of each service is still there, and not every older one.
    expect((await Promise.all(stored)).map(({ isReplay }) => isReplay)).toEqual(Array(10).fill(true));
    const oldest = await once({ caller: { ...USER, serviceId: 'large-0' }, key: '0' });
    expect(oldest.isReplay).toBe(false);
  });
});
