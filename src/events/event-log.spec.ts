import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { InMemorySessionStorage, type SessionEvent, SessionEvents } from 'nestjs-distributed-session';
import { EventLog } from './event-log.js';

const HELD = 3;
const NEVER = new AbortController().signal;

describe('EventLog', () => {
  let events: SessionEvents;
  let log: EventLog;

  beforeEach(() => {
    jest.useFakeTimers();
    events = new SessionEvents(new InMemorySessionStorage());
    log = new EventLog(events, { EVENTS_HELD: HELD });
  });

  afterEach(() => void jest.useRealTimers());

  const append = (version: number) => events.emit(refused(version));
  const versionAfter = (position: number) => {
    const { event } = log.firstAfter(position) ?? {};
    return event && 'version' in event ? event.version : undefined;
  };

  test('starts empty, and holds every event after position 0', () => {
    expect([log.end, log.isHeldAfter(0), log.firstAfter(0)]).toEqual([0, true, undefined]);
  });

  test('returns the events after a position one by one, with their positions', () => {
    for (const version of [1, 2]) append(version);
    expect(log.firstAfter(0)).toEqual({ position: 1, event: refused(1) });
    expect(log.firstAfter(1)).toEqual({ position: 2, event: refused(2) });
    expect(log.firstAfter(2)).toBeUndefined();
  });

  test('holds exactly the configured number of newest events', () => {
    for (let version = 1; version <= 7; version++) append(version);
    expect([3, 4, 7].map((position) => log.isHeldAfter(position))).toEqual([false, true, true]);
    expect([4, 5, 6, 7].map(versionAfter)).toEqual([5, 6, 7, undefined]);
  });

  test.each([-1, 8, 1e15, NaN])('does not hold the events after position %d, which is outside the log', (position) => {
    for (let version = 1; version <= 7; version++) append(version);
    expect(log.isHeldAfter(position)).toBe(false);
  });

  test('has a unique epoch', () => {
    const another = new EventLog(events, { EVENTS_HELD: HELD });
    expect(log.epoch).toMatch(/^[0-9a-f]{12}$/);
    expect(another.epoch).not.toBe(log.epoch);
  });

  test('returns at once if an event is available, the log is closed or the signal is aborted', async () => {
    append(1);
    await log.waitAfter(0, Infinity, NEVER);
    await log.waitAfter(1, Infinity, AbortSignal.abort());
    log.beforeApplicationShutdown();
    await log.waitAfter(1, Infinity, NEVER);
    expect(jest.getTimerCount()).toBe(0);
  });

  test.each([
    ['an event arrives', () => append(1)],
    ['the log closes', () => log.beforeApplicationShutdown()],
    ['the client disconnects', (gone: AbortController) => gone.abort()],
    ['the timeout is over', () => jest.advanceTimersByTime(1_000)],
  ])('waits until %s, and then clears its timer', async (_what, happens) => {
    const gone = new AbortController();
    const wake = jest.fn();
    const waiting = log.waitAfter(0, 1_000, gone.signal).then(wake);
    jest.advanceTimersByTime(999);
    await Promise.resolve();
    expect([wake.mock.calls.length, jest.getTimerCount()]).toEqual([0, 1]);
    happens(gone);
    await waiting;
    expect(jest.getTimerCount()).toBe(0);
  });

  test('is closed once the service stops', () => {
    expect(log.isClosed).toBe(false);
    log.beforeApplicationShutdown();
    expect(log.isClosed).toBe(true);
  });
});

function refused(version: number): SessionEvent & { type: 'session.refused' } {
  const session = { sessionId: 'id', loginId: 'alice', serviceId: 'user', version } as const;
  return { type: 'session.refused', ...session, reason: 'logged-out', by: 'order', at: 0 };
}
