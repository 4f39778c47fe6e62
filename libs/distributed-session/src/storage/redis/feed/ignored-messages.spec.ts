import { Logger } from '@nestjs/common';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { IgnoredMessages } from './ignored-messages.js';

describe('IgnoredMessages', () => {
  afterEach(() => {
    jest.restoreAllMocks();
  });

  it('logs one warning a minute, with the number of messages', () => {
    const warn = jest.spyOn(Logger.prototype, 'warn').mockReturnValue(undefined);
    let now = 0;
    const ignored = new IgnoredMessages(() => now);
    for (; now < 120_000; now += 100) ignored.add();
    expect(warn.mock.calls).toEqual([
      [expect.stringContaining('ignored 1 message that')],
      [expect.stringContaining('ignored 600 messages that')],
    ]);
  });
});
