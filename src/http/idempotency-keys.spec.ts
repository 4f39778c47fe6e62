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

  it('performs a request once and repeats its answer', async () => {
    expect(await once()).toEqual({ answer: 1, isReplay: false });
    expect(await once()).toEqual({ answer: 1, isReplay: true });
    expect(perform).toHaveBeenCalledTimes(1);
  });

  it('remembers an answer for the retention, counted from the first request, and no longer', async () => {
    await once();
    clock.advance(RETENTION_MS - 1);
    expect(await once()).toEqual({ answer: 1, isReplay: true });
    clock.advance(1);
    expect(await once()).toEqual({ answer: 2, isReplay: false });
    clock.advance(RETENTION_MS - 1);
    expect(await once()).toEqual({ answer: 2, isReplay: true });
  });

  it('lets a key be used for another request when the retention is over', async () => {
    await once();
    await expect(once({ body: '{"other":true}' })).rejects.toMatchObject({ code: 'ERR_IDEMPOTENCY_KEY_REUSED' });
    clock.advance(RETENTION_MS);
    expect(await once({ body: '{"other":true}' })).toEqual({ answer: 2, isReplay: false });
  });

  it('performs what is asked at the same time once', async () => {
    const answers = await Promise.all([once(), once(), once()]);
    expect(answers.map(({ answer, isReplay }) => [answer, isReplay])).toEqual([
      [1, false],
      [1, true],
      [1, true],
    ]);
  });

  it('still repeats the answer of a request that took longer than the retention', async () => {
    let finish!: (answer: number) => void;
    perform.mockReturnValueOnce(new Promise((resolve) => (finish = resolve)));
    const [first, second] = [once(), once()];
    clock.advance(RETENTION_MS);
    finish(7);
    expect([(await first).answer, (await second).answer]).toEqual([7, 7]);
    expect(await once()).toEqual({ answer: 1, isReplay: false });
  });

  it('tells the error to all who ask at the same time, and forgets it', async () => {
    perform.mockRejectedValueOnce(new Error('down'));
    const [first, second] = [once(), once()];
    await expect(first).rejects.toThrow('down');
    await expect(second).rejects.toThrow('down');
    expect(await once()).toEqual({ answer: 1, isReplay: false });
  });

  it('keeps the answer of a later request when an earlier one fails after its retention', async () => {
    let fail!: (error: Error) => void;
    perform.mockReturnValueOnce(new Promise((_resolve, reject) => (fail = reject)));
    const first = once();
    clock.advance(RETENTION_MS);
    expect(await once()).toEqual({ answer: 1, isReplay: false });
    fail(new Error('late'));
    await expect(first).rejects.toThrow('late');
    expect(await once()).toEqual({ answer: 1, isReplay: true });
  });

  it('tells apart services, operations and keys, however they are put together', async () => {
    const requests = [
      REQUEST,
      { ...REQUEST, serviceId: 'pay' },
      { ...REQUEST, operation: 'rotateSession' },
      { ...REQUEST, key: 'b' },
      { ...REQUEST, serviceId: 'user","createSession', operation: '' },
      { ...REQUEST, serviceId: '', key: 'usercreateSessiona' },
    ];
    for (const [index, request] of requests.entries()) {
      expect(await keys.once(request, perform)).toEqual({ answer: index + 1, isReplay: false });
    }
  });

  it('forgets the oldest keys when there are too many, and none of the newest', async () => {
    for (let index = 0; index <= 10_000; index++) await once({ key: String(index) });
    expect((await once({ key: '10000' })).isReplay).toBe(true);
    expect((await once({ key: '1' })).isReplay).toBe(true);
    expect((await once({ key: '0' })).isReplay).toBe(false);
  });
});
