import { Logger } from '@nestjs/common';
import { afterEach, describe, expect, jest, test } from '@jest/globals';
import type { StorageKind } from '../config/environment.js';
import { StorageNotice } from './storage-notice.js';

describe('StorageNotice', () => {
  afterEach(() => {
    jest.restoreAllMocks();
  });

  test('says plainly that memory is not kept, and what that means', () => {
    const [notice, ...more] = noticesOf('memory');
    expect(more).toEqual([]);
    expect(notice).toMatch(/^SESSION_STORAGE is memory: sessions and services are not kept\./);
    for (const consequence of [
      'end when this process stops',
      'a restart begins with none',
      'no other process sees them',
    ]) {
      expect(notice).toContain(consequence);
    }
  });

  test.each(['redis', 'postgres'] as const)('has nothing to say of %s, which keeps them', (kind) => {
    expect(noticesOf(kind)).toEqual([]);
  });
});

function noticesOf(SESSION_STORAGE: StorageKind): readonly string[] {
  const warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
  new StorageNotice({ SESSION_STORAGE }).onApplicationBootstrap();
  return warn.mock.calls.map(([text]) => String(text));
}
