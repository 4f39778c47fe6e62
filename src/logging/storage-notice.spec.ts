import { Logger } from '@nestjs/common';
import { afterEach, describe, expect, jest, test } from '@jest/globals';
import type { StorageKind } from '../config/environment.js';
import { StorageNotice } from './storage-notice.js';

describe('StorageNotice', () => {
  afterEach(() => {
    jest.restoreAllMocks();
  });

  test('warns that the in-memory storage is lost when the process stops, and is not shared', () => {
    const [notice, ...more] = noticesOf('memory');
    expect(more).toEqual([]);
    expect(notice).toMatch(/^SESSION_STORAGE is memory: sessions and services /);
    for (const consequence of ['exist only in this process', 'are lost when it stops']) {
      expect(notice).toContain(consequence);
    }
  });

  test.each(['redis', 'postgres'] as const)('does not warn about %s', (kind) => {
    expect(noticesOf(kind)).toEqual([]);
  });
});

function noticesOf(SESSION_STORAGE: StorageKind): readonly string[] {
  const warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
  new StorageNotice({ SESSION_STORAGE }).onApplicationBootstrap();
  return warn.mock.calls.map(([text]) => String(text));
}
