import { Logger } from '@nestjs/common';
import { afterEach, describe, expect, jest, test } from '@jest/globals';
import type { CompletedRequest } from '../http/request-context.js';
import { RequestLog } from './request-log.js';

const COMPLETED: CompletedRequest = {
  requestId: 'mine',
  startedAt: 5,
  method: 'GET',
  status: 200,
  milliseconds: 12.345,
};

describe('RequestLog', () => {
  afterEach(() => {
    jest.restoreAllMocks();
  });

  test('writes the known fields, rounded to tenths of a millisecond', () => {
    expect(write({})).toEqual(['log', { method: 'GET', status: 200, milliseconds: 12.3, requestId: 'mine' }]);
    const known = { operation: 'getSession', status: 404, code: 'ERR_SESSION_NOT_FOUND', serviceId: 'order' };
    expect(write(known)).toEqual(['log', { method: 'GET', ...known, milliseconds: 12.3, requestId: 'mine' }]);
  });

  test('writes the same fields as text, in a fixed order', () => {
    const known = { serviceId: 'order', code: 'ERR_SESSION_NOT_FOUND', status: 404, operation: 'getSession' };
    expect(write(known, 'text')).toEqual(['log', 'GET getSession 404 ERR_SESSION_NOT_FOUND 12.3 order mine']);
  });

  test.each([
    ['debug', 'getLiveness', 200],
    ['debug', 'getReadiness', 200],
    ['debug', 'getMetrics', 401],
    ['error', 'getReadiness', 503],
    ['log', 'createSession', 201],
    ['log', 'createSession', 429],
    ['log', undefined, 404],
    ['error', 'createSession', 500],
    ['error', undefined, 503],
  ])('uses the level %s for %s with status %d', (level, operation, status) => {
    expect(write({ operation, status })[0]).toBe(level);
  });

  test('logs no error when a process that stops is not ready', () => {
    expect(write({ operation: 'getReadiness', status: 503 }, 'json', true)[0]).toBe('debug');
    expect(write({ operation: 'createSession', status: 503 }, 'json', true)[0]).toBe('error');
  });
});

/** Returns the level and the message that are written for a request. */
function write(
  request: Partial<CompletedRequest>,
  logFormat: 'json' | 'text' = 'json',
  isAnnounced = false,
): readonly unknown[] {
  const written: unknown[] = [];
  for (const level of ['debug', 'log', 'warn', 'error'] as const) {
    jest.spyOn(Logger.prototype, level).mockImplementation((message: unknown) => void written.push(level, message));
  }
  new RequestLog({ logFormat }, { isAnnounced }).write({ ...COMPLETED, ...request });
  return written;
}
