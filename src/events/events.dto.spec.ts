import { describe, expect, test } from '@jest/globals';
import type { SessionEvent } from 'nestjs-distributed-session';
import { eventFilter } from './events.dto.js';

const SESSION = { sessionId: 'a', loginId: 'alice', serviceId: 'user', version: 1, by: 'order', at: 0 };
const CREATED: SessionEvent = { type: 'session.created', ...SESSION };
const ROTATED: SessionEvent = { type: 'session.rotated', rotatedTo: 'b', ...SESSION };
const REFUSED: SessionEvent = { type: 'session.refused', reason: 'logged-out', ...SESSION };
const REVOKED: SessionEvent = { type: 'service.changed', change: 'revoked', serviceId: 'pay', by: 'admin', at: 0 };
const GAP: SessionEvent = { type: 'feed.gap', at: 0 };
const ALL = [CREATED, ROTATED, REFUSED, REVOKED, GAP];

describe('eventFilter()', () => {
  test.each([
    ['nothing', {}, ALL],
    ['a type', { type: ['session.rotated'] as const }, [ROTATED, GAP]],
    ['types', { type: ['session.created', 'service.changed'] as const }, [CREATED, REVOKED, GAP]],
    ['a user', { loginId: 'alice' }, [CREATED, ROTATED, REFUSED, GAP]],
    ['another user', { loginId: 'Alice' }, [GAP]],
    ['a session', { sessionId: 'a' }, [CREATED, ROTATED, REFUSED, GAP]],
    ['the session that another was rotated to', { sessionId: 'b' }, [ROTATED, GAP]],
    ['a service that created sessions', { serviceId: 'user' }, [CREATED, ROTATED, REFUSED, GAP]],
    ['a service that changed', { serviceId: 'pay' }, [REVOKED, GAP]],
    ['a service that only made the change', { serviceId: 'order' }, [GAP]],
    ['a session of another user', { sessionId: 'b', loginId: 'bob' }, [GAP]],
    ['a service and a user', { serviceId: 'pay', loginId: 'alice' }, [GAP]],
    [
      'every field',
      { type: ['session.created'] as const, loginId: 'alice', sessionId: 'a', serviceId: 'user' },
      [CREATED, GAP],
    ],
  ])('filters by %s', (_what, query, expected) => {
    expect(ALL.filter(eventFilter(query, true))).toEqual(expected);
  });

  test('excludes changes of services for a caller that may not read services, whatever the query', () => {
    for (const query of [{}, { serviceId: 'pay' }, { type: ['service.changed'] as const }]) {
      expect(ALL.filter(eventFilter(query, false))).not.toContain(REVOKED);
    }
  });
});
