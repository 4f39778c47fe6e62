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

  test('begins with no event, and holds everything after position 0', () => {
    expect([log.end, log.isHeldAfter(0), log.firstAfter(0)]).toEqual([0, true, undefined]);
  });

  test('gives the events after a position one by one, with their own positions', () => {
    for (const version of [1, 2]) append(version);
    expect(log.firstAfter(0)).toEqual({ position: 1, event: refused(1) });
    expect(log.firstAfter(1)).toEqual({ position: 2, event: refused(2) });
    expect(log.firstAfter(2)).toBeUndefined();
  });

  test('holds the newest events and not one more', () => {
    for (let version = 1; version <= 7; version++) append(version);
    expect([3, 4, 7].map((position) => log.isHeldAfter(position))).toEqual([false, true, true]);
    expect([4, 5, 6, 7].map(versionAfter)).toEqual([5, 6, 7, undefined]);
  });

  test.each([-1, 8, 1e15, NaN])('holds nothing after position %d, which it has not', (position) => {
    for (let version = 1; version <= 7; version++) append(version);
    expect(log.isHeldAfter(position)).toBe(false);
  });

  test('has an epoch of its own', () => {
    const another = new EventLog(events, { EVENTS_HELD: HELD });
    expect(log.epoch).toMatch(/^[0-9a-f]{12}$/);
    expect(another.epoch).not.toBe(log.epoch);
  });

  test('does not let wait for what is there already, on a closed log, or for who has gone', async () => {
    append(1);
    await log.waitAfter(0, Infinity, NEVER);
    await log.waitAfter(1, Infinity, AbortSignal.abort());
    log.beforeApplicationShutdown();
    await log.waitAfter(1, Infinity, NEVER);
    expect(jest.getTimerCount()).toBe(0);
  });

  test.each([
    ['there is an event', () => append(1)],
    ['the log is closed', () => log.beforeApplicationShutdown()],
    ['the client has gone', (gone: AbortController) => gone.abort()],
    ['the time is over', () => jest.advanceTimersByTime(1_000)],
  ])('lets wait until %s, and then forgets who waited', async (_what, happens) => {
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

  test('says that it is closed once the service stops', () => {
    expect(log.isClosed).toBe(false);
    log.beforeApplicationShutdown();
    expect(log.isClosed).toBe(true);
  });
});

function refused(version: number): SessionEvent & { type: 'session.refused' } {
  const session = { sessionId: 'id', loginId: 'alice', serviceId: 'user', version } as const;
  return { type: 'session.refused', ...session, reason: 'logged-out', by: 'order', at: 0 };
}
