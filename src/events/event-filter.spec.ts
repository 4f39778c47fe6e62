import { describe, expect, test } from '@jest/globals';
import type { SessionEvent } from 'nestjs-distributed-session';
import { eventFilter } from './event-filter.js';

const SESSION = { sessionId: 'a', loginId: 'alice', serviceId: 'user', version: 1, by: 'order', at: 0 };
const CREATED: SessionEvent = { type: 'session.created', ...SESSION };
const ROTATED: SessionEvent = { type: 'session.rotated', rotatedTo: 'b', ...SESSION };
const REFUSED: SessionEvent = { type: 'session.refused', reason: 'logged-out', ...SESSION };
const GATEWAY: SessionEvent = { type: 'service.changed', change: 'revoked', serviceId: 'gateway', by: 'admin', at: 0 };
const GAP: SessionEvent = { type: 'feed.gap', at: 0 };
const ALL = [CREATED, ROTATED, REFUSED, GATEWAY, GAP];

describe('eventFilter()', () => {
  test.each([
    ['nothing', {}, ALL],
    ['a type', { type: ['session.rotated'] as const }, [ROTATED, GAP]],
    ['types', { type: ['session.created', 'service.changed'] as const }, [CREATED, GATEWAY, GAP]],
    ['a login', { loginId: 'alice' }, [CREATED, ROTATED, REFUSED, GAP]],
    ['another login', { loginId: 'Alice' }, [GAP]],
    ['a session', { sessionId: 'a' }, [CREATED, ROTATED, REFUSED, GAP]],
    ['the session that another was rotated to', { sessionId: 'b' }, [ROTATED, GAP]],
    ['a service that created sessions', { serviceId: 'user' }, [CREATED, ROTATED, REFUSED, GAP]],
    ['a service that changed', { serviceId: 'gateway' }, [GATEWAY, GAP]],
    ['a service that only made the change', { serviceId: 'order' }, [GAP]],
    ['a session of another login', { sessionId: 'b', loginId: 'bob' }, [GAP]],
    ['a service and a login', { serviceId: 'gateway', loginId: 'alice' }, [GAP]],
    [
      'everything',
      { type: ['session.created'] as const, loginId: 'alice', sessionId: 'a', serviceId: 'user' },
      [CREATED, GAP],
    ],
  ])('tells by %s', (_what, query, expected) => {
    expect(ALL.filter(eventFilter(query, true))).toEqual(expected);
  });

  test('tells nothing of services to who may not read them, whatever the query asks for', () => {
    for (const query of [{}, { serviceId: 'gateway' }, { type: ['service.changed'] as const }]) {
      expect(ALL.filter(eventFilter(query, false))).not.toContain(GATEWAY);
    }
  });
});
