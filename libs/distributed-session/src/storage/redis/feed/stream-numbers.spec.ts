import { beforeEach, describe, expect, it } from '@jest/globals';
import { StreamNumbers } from './stream-numbers.js';

const STREAM = 'stream';

let numbers: StreamNumbers;

beforeEach(() => {
  numbers = new StreamNumbers();
  numbers.startAfter(new Map([[STREAM, 10]]));
  numbers.reopened();
});

const receive = (...received: readonly number[]) => received.map((number) => numbers.receive(STREAM, number));

describe('StreamNumbers', () => {
  it('accept changes in order, and report missing ones, but not before the first of a connection', () => {
    expect(receive(15, 16, 18, 19)).toEqual(['next', 'next', 'after-missing', 'next']);
    numbers.reopened();
    expect(receive(25, 26)).toEqual(['next', 'next']);
  });

  it('accept no number twice, none from before the subscription, and none from before a reconnection', () => {
    expect(receive(10, 3, 11, 11)).toEqual(['not-new', 'not-new', 'next', 'not-new']);
    numbers.reopened();
    expect(receive(11, 12)).toEqual(['not-new', 'next']);
  });

  it('count streams separately', () => {
    expect(receive(11)).toEqual(['next']);
    expect(numbers.receive('another', 11)).toBe('next');
  });

  it('accept the first change of a new stream, and report that it is missing if the second arrives first', () => {
    for (const stream of ['new', 'newer']) numbers.isInterrupted(stream, 0);
    expect(numbers.receive('new', 1_790_000_000_000_001)).toBe('next');
    expect(numbers.receive('newer', 1_790_000_000_000_002)).toBe('after-missing');
  });

  it('are interrupted by a heartbeat with a number that was not received, or a lower one than in the last', () => {
    expect([10, 10].map((number) => numbers.isInterrupted(STREAM, number))).toEqual([false, false]);
    receive(11);
    // The number may have been read before a change that arrived first.
    expect([10, 11].map((number) => numbers.isInterrupted(STREAM, number))).toEqual([false, false]);
    expect([12, 12, 11].map((number) => numbers.isInterrupted(STREAM, number))).toEqual([true, false, true]);
    expect(receive(12)).toEqual(['next']);
  });

  describe('in doubt', () => {
    const [doubtful] = [() => numbers.doubtful[0]!];

    beforeEach(() => {
      receive(11);
      numbers.doubt(STREAM, 500);
    });

    it('limit how long the feed is complete, until the stored number shows that a message was repeated', () => {
      expect(numbers.completeUntil).toBe(500);
      expect(numbers.doubtful).toEqual([{ stream: STREAM, last: 11, messages: 1 }]);
      expect(numbers.settle(doubtful(), 11, 900)).toBe(false);
      expect(numbers.completeUntil).toBe(Infinity);
      expect(numbers.doubtful).toEqual([]);
      expect(receive(11, 12)).toEqual(['not-new', 'next']);
    });

    it('remain so for messages that arrived while the number was read, but not for longer', () => {
      const asked = doubtful();
      numbers.doubt(STREAM, 800);
      expect(numbers.completeUntil).toBe(500);
      expect(numbers.settle(asked, 11, 900)).toBe(false);
      expect(numbers.completeUntil).toBe(900);
      expect(numbers.settle(doubtful(), 11, 1_000)).toBe(false);
      expect(numbers.completeUntil).toBe(Infinity);
    });

    it('accept lower numbers again once the stored number shows that the stream went back', () => {
      expect(numbers.settle(doubtful(), 3, 900)).toBe(true);
      expect(numbers.completeUntil).toBe(Infinity);
      expect(receive(3, 5, 6)).toEqual(['not-new', 'next', 'next']);
    });

    it('do not mistake a change that arrives while the number is read for a stream that went back', () => {
      const asked = doubtful();
      expect(receive(12)).toEqual(['next']);
      expect(numbers.settle(asked, 11, 900)).toBe(false);
      expect(receive(12, 13)).toEqual(['not-new', 'next']);
    });
  });
});
