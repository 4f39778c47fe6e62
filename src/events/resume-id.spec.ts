import { beforeEach, describe, expect, test } from '@jest/globals';
import { InMemorySessionStorage, SessionEvents } from 'nestjs-distributed-session';
import { RequestError } from '../http/problem.js';
import { EventLog } from './event-log.js';
import { resumeId, resumePosition } from './resume-id.js';

const SESSION = { sessionId: 'id', loginId: 'alice', serviceId: 'user', version: 1 };
const EVENT = { type: 'session.refused', ...SESSION, reason: 'logged-out', by: 'order', at: 0 } as const;

describe('resumePosition()', () => {
  let log: EventLog;

  beforeEach(() => {
    const events = new SessionEvents(new InMemorySessionStorage());
    log = new EventLog(events, { EVENTS_HELD: 2 });
    for (let count = 0; count < 3; count++) events.emit(EVENT);
  });

  test('accepts the id that resumeId() builds from the epoch and the position', () => {
    expect(resumeId(log, 3)).toBe(`${log.epoch}-3`);
  });

  test('returns the position of an id while the log holds every event after it', () => {
    expect([0, 1, 2, 3, 4].map((position) => resumePosition(log, resumeId(log, position)))).toEqual([
      undefined,
      1,
      2,
      3,
      undefined,
    ]);
  });

  test('returns the newest position without an id', () => {
    expect(resumePosition(log, undefined)).toBe(3);
  });

  test('returns undefined for an id of another epoch, even if the log holds the position', () => {
    expect(resumePosition(log, `${'0'.repeat(12)}-2`)).toBeUndefined();
  });

  test.each(['', '2', 'x-2', '0123456789AB-2', '0123456789ab2', '0123456789ab-2\n', ' 0123456789ab-2', '__proto__'])(
    'rejects the malformed id %j',
    (id) => {
      expect(() => resumePosition(log, id)).toThrow(RequestError);
      expect(() => resumePosition(log, id)).toThrow('Last-Event-ID must be an event id');
    },
  );
});
