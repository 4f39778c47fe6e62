import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import type { OptionsError } from 'nestjs-distributed-session';
import { PostgresSessionStorage } from 'nestjs-distributed-session/postgres';
import { RedisSessionStorage } from 'nestjs-distributed-session/redis';
import { codeIn, tableUnder } from './support/markdown.js';

const PAGES = {
  'docs/redis.md': (options: object) => new RedisSessionStorage(options),
  'docs/postgres.md': (options: object) => new PostgresSessionStorage(options),
};

/** The options that the storage itself says it knows. */
function known(open: (options: object) => object): string[] {
  try {
    return Object.keys(open({ unknown: 1 }));
  } catch (error) {
    const [fault = ''] = (error as OptionsError).errors;
    return fault.split('Known options: ')[1]!.replace(/\.$/u, '').split(', ');
  }
}

describe.each(Object.entries(PAGES))('%s', (path, open) => {
  test('lists every option, and nothing else', () => {
    const documented = tableUnder(readFileSync(path, 'utf8'), 'Options').map(([name = '']) => codeIn(name)[0]!);
    expect(documented.toSorted()).toEqual(known(open).toSorted());
  });
});

describe('docs/redis.md', () => {
  test.each([
    'redis://user:password@host:6379/0',
    'redis-sentinel://user:password@host:26379,host:26379/0?name=mymaster',
    'redis-cluster://user:password@host:6379,host:6379',
  ])('names the form %s, which is taken with and without TLS', (url) => {
    expect(readFileSync('docs/redis.md', 'utf8')).toContain(`\`${url}\``);
    for (const form of [url, url.replace('redis', 'rediss')]) {
      expect(new RedisSessionStorage({ url: form }).feedLagMs()).toBe(Infinity);
    }
  });
});
