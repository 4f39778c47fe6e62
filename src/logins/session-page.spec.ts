import { describe, expect, test } from '@jest/globals';
import type { Session } from 'nestjs-distributed-session';
import { pageOf } from './session-page.js';

describe('pageOf()', () => {
  const times = { version: 1, createdAt: 1, lastAccessedAt: 1, expiresAt: 2 };

  function sessionsOf(...sizes: number[]): Session[] {
    return sizes.map((size, index) => ({
      ...times,
      sessionId: `00000000-0000-4000-8000-00000000000${index}`,
      loginId: 'alice',
      serviceId: 'user',
      attributes: { large: 'x'.repeat(size) },
    }));
  }

  test('returns a session that is larger than a page on a page of its own', () => {
    const sessions = sessionsOf(2_000_000, 10, 2_000_000, 1_100_000);
    const sizes: number[] = [];
    let cursor: string | undefined;
    do {
      const page = pageOf(sessions, 1_000, cursor);
      sizes.push(page.sessions.length);
      cursor = page.nextCursor;
    } while (cursor !== undefined);
    expect(sizes).toEqual([1, 1, 1, 1]);
  });

  test('ends a page at the limit if more sessions would fit', () => {
    const page = pageOf(sessionsOf(10, 10, 10), 2);
    expect([page.sessions.length, page.total, page.nextCursor !== undefined]).toEqual([2, 3, true]);
  });
});
