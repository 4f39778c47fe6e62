import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { RedisScript } from './redis-script.js';

const script = new RedisScript({
  name: 'try-it',
  flags: ['no-writes', 'allow-oom'],
  keys: ['first', 'second'],
  args: ['amount', 'payload'],
  uses: ['-- a fragment', '-- another'],
  body: '\nreturn amount\n',
});

describe('RedisScript', () => {
  it('has a source with the flags in the first line, then keys, arguments, fragments and body in order', () => {
    expect(script.source.split('\n')).toEqual([
      '#!lua flags=no-writes,allow-oom',
      '-- try-it',
      'local first = KEYS[1]',
      'local second = KEYS[2]',
      'local amount = ARGV[1]',
      'local payload = ARGV[2]',
      '-- a fragment',
      '-- another',
      'return amount',
      '',
    ]);
  });

  it('is identified by the SHA-1 of its source', () => {
    expect(script.sha).toBe(createHash('sha1').update(script.source).digest('hex'));
  });

  it('packs keys and arguments in the declared order without changing them', () => {
    const payload = Buffer.from([0xff, 0x00]);
    expect(script.pack({ second: 'b', first: 'a' }, { payload, amount: 7 })).toEqual([2, 'a', 'b', 7, payload]);
  });

  it('is read-only only with the flag no-writes', () => {
    expect(script.isReadOnly).toBe(true);
    const writing = new RedisScript({ name: 'write', flags: ['allow-oom'], keys: [], args: [], body: 'return 1' });
    expect(writing.isReadOnly).toBe(false);
    expect(new RedisScript({ name: 'plain', keys: [], args: [], body: 'return 1' }).source).toMatch(/^#!lua flags=\n/u);
    expect(writing.pack({}, {})).toEqual([0]);
  });
});
