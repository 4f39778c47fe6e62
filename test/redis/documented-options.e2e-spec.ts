import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { OptionsError } from 'nestjs-distributed-session';
import { RedisSessionStorage } from 'nestjs-distributed-session/redis';
import { codeIn, tableUnder } from '../support/markdown.js';

const page = readFileSync('docs/redis.md', 'utf8');
const documented = tableUnder(page, 'Options').map(([name = '']) => codeIn(name)[0]!);

/** The options that the storage itself says it knows. */
function known(): string[] {
  try {
    const storage = new RedisSessionStorage({ url: 'redis://localhost', unknown: 1 } as never);
    return Object.keys(storage);
  } catch (error) {
    const [fault = ''] = (error as OptionsError).faults;
    return fault.split('Known options: ')[1]!.split(', ');
  }
}

describe('docs/redis.md', () => {
  test('lists every option, and nothing else', () => {
    expect(documented.toSorted()).toEqual(known().toSorted());
  });

  test.each([
    'redis://user:password@host:6379/0',
    'redis-sentinel://user:password@host:26379,host:26379/0?name=mymaster',
    'redis-cluster://user:password@host:6379,host:6379',
  ])('names the form %s, which is taken with and without TLS', (url) => {
    expect(page).toContain(`\`${url}\``);
    for (const form of [url, url.replace('redis', 'rediss')]) {
      expect(new RedisSessionStorage({ url: form }).feedLagMs()).toBe(Infinity);
    }
  });
});
