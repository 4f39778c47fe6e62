import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { ReplyError } from 'ioredis';
import { StorageCorruptError, StorageFullError } from '../../../errors/storage.errors.js';
import { WriteRejectedError } from '../../shared/storage-failure.js';
import { rejectionOf, toRedisStorageError } from './redis-failure.js';

const CANARY = 'CANARY';
const READ = { wasSent: true, isReadOnly: true };
const WRITE = { wasSent: true, isReadOnly: false };

/** An error reply of Redis as ioredis delivers it: with the command and its arguments. */
function reply(message: string): Error {
  const command = { name: 'evalsha', args: [`${CANARY}-argument`] };
  return Object.assign(new ReplyError(message), { command, cause: new Error(CANARY) });
}

describe('rejectionOf()', () => {
  it.each([
    ['READONLY You can’t write', 'READONLY'],
    ['ERR unknown command', 'ERR'],
    ['something without a word in capitals', 'ERR'],
  ])('returns the first word of the reply: %s', (message, word) => {
    expect(rejectionOf(reply(message))).toBe(word);
  });

  it.each([[new Error('READONLY')], [undefined], ['READONLY'], [{ name: 'ReplyError', message: 'READONLY' }]])(
    'returns undefined for an error that is not a reply of Redis: %p',
    (error) => {
      expect(rejectionOf(error)).toBeUndefined();
    },
  );
});

describe('toRedisStorageError()', () => {
  it.each([
    ['LOADING', 'ERR_STORAGE_UNAVAILABLE', false],
    ['MASTERDOWN', 'ERR_STORAGE_UNAVAILABLE', false],
    ['CLUSTERDOWN', 'ERR_STORAGE_UNAVAILABLE', false],
    ['TRYAGAIN', 'ERR_STORAGE_UNAVAILABLE', false],
    ['BUSY', 'ERR_STORAGE_UNAVAILABLE', false],
    ['NOAUTH', 'ERR_STORAGE_UNAVAILABLE', false],
    ['WRONGPASS', 'ERR_STORAGE_UNAVAILABLE', false],
    ['EXECABORT', 'ERR_STORAGE_UNAVAILABLE', false],
    ['READONLY', 'ERR_STORAGE_UNAVAILABLE', true],
    ['OOM', 'ERR_STORAGE_UNAVAILABLE', true],
    ['NOREPLICAS', 'ERR_STORAGE_UNAVAILABLE', true],
    ['MISCONF', 'ERR_STORAGE_UNAVAILABLE', true],
    ['NOPERM', 'ERR_STORAGE_UNAVAILABLE', true],
    ['ERR', 'ERR_STORAGE_UNAVAILABLE', false],
    ['UNKNOWN', 'ERR_STORAGE_UNAVAILABLE', false],
    ['WRONGTYPE', 'ERR_STORAGE_CORRUPT', false],
  ])('converts %s to %s; only writes are rejected: %s', (word, code, isWriteRejected) => {
    for (const command of [READ, WRITE]) {
      const error = toRedisStorageError(reply(`${word} ${CANARY}`), command);
      expect(error).toMatchObject({ code });
      expect(error instanceof WriteRejectedError).toBe(isWriteRejected);
      expect(error.message).toMatch(/\.$/u);
    }
  });

  it('reports a script that failed at one of its lines as corrupt data', () => {
    const sha = 'a'.repeat(40);
    const error = toRedisStorageError(reply(`ERR Bad data format script: ${sha}, on @user_script:7.`), WRITE);
    expect(error).toBeInstanceOf(StorageCorruptError);
  });

  it.each([
    "ERR The user executing the script can't run this command or subcommand",
    "ERR The user executing the script can't publish to the channel mentioned in the command",
    "ERR ACL failure in script: User sessions has no permissions to run the 'hset' command",
    'ERR ACL failure in script: No permissions to access a key',
    'NOPERM ACL failure in script: No permissions to access a channel',
  ])('reports a script that lacked a right at one of its lines as not allowed, and a write as unknown: %s', (words) => {
    const failure = reply(`${words} script: ${'a'.repeat(40)}, on @user_script:7.`);
    expect(toRedisStorageError(failure, WRITE)).toMatchObject({
      code: 'ERR_STORAGE_OUTCOME_UNKNOWN',
      message: expect.stringContaining('does not allow its user'),
    });
    expect(toRedisStorageError(failure, READ)).toMatchObject({ code: 'ERR_STORAGE_UNAVAILABLE' });
  });

  it.each([
    [{ wasSent: false, isReadOnly: false }, 'ERR_STORAGE_UNAVAILABLE', 'cannot be reached'],
    [{ wasSent: false, isReadOnly: true }, 'ERR_STORAGE_UNAVAILABLE', 'cannot be reached'],
    [READ, 'ERR_STORAGE_UNAVAILABLE', 'did not respond in time'],
    [WRITE, 'ERR_STORAGE_OUTCOME_UNKNOWN', 'may have been applied'],
  ])('reports a lost reply (%j) as %s', (command, code, words) => {
    for (const error of [new Error(CANARY), undefined]) {
      expect(toRedisStorageError(error, command)).toMatchObject({ code, message: expect.stringContaining(words) });
    }
  });

  it('returns an error of this library unchanged', () => {
    const full = new StorageFullError(7);
    expect(toRedisStorageError(full, WRITE)).toBe(full);
  });

  it('reveals nothing of the original failure: no argument, message, cause or stack', () => {
    const failures = [
      ...['ERR', 'NOPERM', 'WRONGTYPE', 'UNKNOWN', 'lower case', 'MOVED'].map((word) => reply(`${word} ${CANARY}`)),
      Object.assign(new Error(CANARY, { cause: CANARY }), { args: [CANARY] }),
    ];
    for (const failure of failures) {
      const error = toRedisStorageError(failure, WRITE);
      const shown = [inspect(error, { depth: 9, showHidden: true }), String(error), error.stack, JSON.stringify(error)];
      expect(shown.join('\n')).not.toContain(CANARY);
      expect(error.cause).toBeUndefined();
    }
  });
});
