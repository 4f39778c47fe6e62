import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { InMemorySessionStorage, type SessionEvent, SessionEvents } from 'nestjs-distributed-session';
import { EventLog } from './event-log.js';
import { type EventStreamOptions, eventStream } from './event-stream.js';

const HELD = 3;
const HEARTBEAT_MS = 1_000;
const LIFETIME_MS = 60_000;

describe('eventStream()', () => {
  let events: SessionEvents;
  let log: EventLog;
  let gone: AbortController;

  beforeEach(() => {
    jest.useFakeTimers();
    events = new SessionEvents(new InMemorySessionStorage());
    log = new EventLog(events, { EVENTS_HELD: HELD });
    gone = new AbortController();
  });

  afterEach(() => void jest.useRealTimers());

  const stream = (options: Partial<EventStreamOptions> = {}) =>
    eventStream(log, {
      filter: () => true,
      position: log.end,
      isAfterGap: false,
      heartbeatMs: HEARTBEAT_MS,
      lifetimeMs: LIFETIME_MS,
      readerId: 'reader',
      signal: gone.signal,
      ...options,
    });
  const append = (...versions: number[]) => versions.forEach((version) => events.emit(refused(version)));

  test('starts with an id, and delivers each event with its own id', async () => {
    append(1);
    const reading = stream({ position: 0 });
    expect((await reading.next()).value).toBe(`retry: 2000\nid: ${log.epoch}-0\n\n`);
    expect((await reading.next()).value).toBe(
      `id: ${log.epoch}-1\nevent: session.refused\ndata: ${JSON.stringify(refused(1))}\n\n`,
    );
  });

  test('writes an event with any text on one line', async () => {
    const loginId = 'a\r\nid: 7\n\nevent: session.created\ndata: {}\u2028';
    events.emit({ ...refused(1), loginId });
    const reading = stream({ position: 0 });
    await reading.next();
    const { value } = (await reading.next()) as { value: string };
    const lines = value.split(/\r\n|\r|\n/);
    expect(lines.slice(3)).toEqual(['', '']);
    expect(JSON.parse(lines[2]!.replace('data: ', ''))).toMatchObject({ loginId });
  });

  test('delivers a gap first if events before its start were missed', async () => {
    append(1, 2);
    const reading = stream({ isAfterGap: true });
    expect([await next(reading), await next(reading)]).toEqual([
      ['id', 2],
      ['feed.gap', 2],
    ]);
    append(3);
    expect(await next(reading)).toEqual([3, 3]);
  });

  test('delivers a gap to a reader that falls behind, and ends, so that the reader authenticates again', async () => {
    const reading = stream();
    await next(reading);
    append(1, 2, 3);
    expect(await next(reading)).toEqual([1, 1]);
    append(4, 5, 6);
    expect(await next(reading)).toEqual(['feed.gap', 6]);
    expect(await reading.next()).toEqual({ done: true, value: undefined });
  });

  test('sends a heartbeat after every interval without an event', async () => {
    const reading = stream();
    await next(reading);
    for (let beat = 0; beat < 2; beat++) {
      const beating = next(reading);
      await jest.advanceTimersByTimeAsync(HEARTBEAT_MS - 1);
      expect(jest.getTimerCount()).toBe(1);
      await jest.advanceTimersByTimeAsync(1);
      expect(await beating).toEqual(['alive', 0]);
    }
  });

  test('sends a heartbeat even if events arrive that the filter excludes', async () => {
    const reading = stream({ filter: () => false });
    await next(reading);
    const beating = next(reading);
    for (let version = 1; version <= 10; version++) {
      await jest.advanceTimersByTimeAsync(HEARTBEAT_MS / 10);
      append(version);
    }
    expect(await beating).toEqual(['alive', 9]);
  });

  test('restarts the heartbeat interval after an event', async () => {
    const reading = stream();
    await next(reading);
    const delivery = next(reading);
    await jest.advanceTimersByTimeAsync(HEARTBEAT_MS - 1);
    append(1);
    expect(await delivery).toEqual([1, 1]);
    const beating = next(reading);
    await jest.advanceTimersByTimeAsync(HEARTBEAT_MS - 1);
    append(2);
    expect(await beating).toEqual([2, 2]);
  });

  test.each([LIFETIME_MS, 1_500, 1, 0, -5])(
    'ends after a lifetime of %d ms, with the id to resume after',
    async (lifetimeMs) => {
      const reading = stream({ lifetimeMs, filter: ({ type }) => type !== 'session.refused' });
      await next(reading);
      append(1, 2);
      let last: readonly unknown[] = [];
      const reads = (async () => {
        for (let read = await next(reading); read[0] !== 'end'; read = await next(reading)) last = read;
      })();
      await jest.advanceTimersByTimeAsync(Math.max(0, lifetimeMs - 1));
      const isEarly = last[0] === 'ended';
      await jest.advanceTimersByTimeAsync(1);
      await reads;
      // Without any time, nothing is delivered.
      expect([...last, isEarly]).toEqual(['ended', lifetimeMs > 0 ? 2 : 0, lifetimeMs <= 0]);
      expect(jest.getTimerCount()).toBe(0);
    },
  );

  test('delivers the events across its end to a reader that resumes, each once', async () => {
    const first = stream({ lifetimeMs: 100 });
    await next(first);
    append(1);
    expect(await next(first)).toEqual([1, 1]);
    const ending = next(first);
    await jest.advanceTimersByTimeAsync(100);
    expect(await ending).toEqual(['ended', 1]);
    append(2);
    const second = stream({ position: 1 });
    await next(second);
    expect(await next(second)).toEqual([2, 2]);
  });

  test.each([
    ['the log closes', () => log.beforeApplicationShutdown()],
    ['the client disconnects', () => gone.abort()],
  ])('ends without further output when %s', async (_what, happens) => {
    const reading = stream();
    await next(reading);
    const waiting = next(reading);
    await jest.advanceTimersByTimeAsync(1);
    happens();
    expect(await waiting).toEqual(['end']);
    expect(jest.getTimerCount()).toBe(0);
  });
});

function refused(version: number): SessionEvent & { type: 'session.refused' } {
  const session = { sessionId: 'id', loginId: 'alice', serviceId: 'user', version } as const;
  return { type: 'session.refused', ...session, reason: 'logged-out', by: 'order', at: 0 };
}

/** Summarizes the next frame: an event's version or the kind of frame, and the position. */
async function next(reading: AsyncGenerator<string>): Promise<readonly unknown[]> {
  const { value, done } = (await reading.next()) as { value: string; done?: boolean };
  if (done === true) return ['end'];
  const [, version] = /"version":(\d+)/.exec(value) ?? [];
  const [, comment = 'id'] = /^: (\w+)/.exec(value) ?? [];
  const [, event = comment] = /^event: (.*)$/m.exec(value) ?? [];
  const [, position] = /^id: [0-9a-f]{12}-(\d+)$/m.exec(value) ?? [];
  return [version === undefined ? event : Number(version), Number(position)];
}
