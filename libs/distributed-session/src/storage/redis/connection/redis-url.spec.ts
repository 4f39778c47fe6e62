import { describe, expect, it } from '@jest/globals';
import { type RedisAddress, RedisUrlError, parseRedisUrl } from './redis-url.js';

const CANARY = 'CANARY';
const local = { kind: 'server', nodes: [{ host: 'localhost', port: 6379 }], options: {} } as const;

describe('parseRedisUrl()', () => {
  it.each<[string, RedisAddress]>([
    ['redis://localhost', local],
    ['redis://localhost/', local],
    ['redis://localhost:6379/0', { ...local, options: { db: 0 } }],
    ['redis://redis.example:6380/3', { ...local, nodes: [{ host: 'redis.example', port: 6380 }], options: { db: 3 } }],
    ['redis://[::1]:6380', { ...local, nodes: [{ host: '::1', port: 6380 }] }],
    ['rediss://localhost', { ...local, options: { tls: {} } }],
    ['redis://ann:pass@localhost', { ...local, options: { username: 'ann', password: 'pass' } }],
    ['redis://:pass@localhost', { ...local, options: { password: 'pass' } }],
    ['redis://ann@localhost', { ...local, options: { username: 'ann' } }],
    ['redis://ann:a:b@localhost', { ...local, options: { username: 'ann', password: 'a:b' } }],
    ['redis://a%40b:%2F%3F%25%23@localhost', { ...local, options: { username: 'a@b', password: '/?%#' } }],
    [
      'redis-sentinel://ann:pass@one,two:26380/2?name=mymaster',
      {
        kind: 'sentinel',
        nodes: [
          { host: 'one', port: 26_379 },
          { host: 'two', port: 26_380 },
        ],
        options: { username: 'ann', password: 'pass', db: 2, name: 'mymaster' },
      },
    ],
    [
      'rediss-cluster://one:7000,[::1]:7001,three',
      {
        kind: 'cluster',
        nodes: [
          { host: 'one', port: 7_000 },
          { host: '::1', port: 7_001 },
          { host: 'three', port: 6_379 },
        ],
        options: { tls: {} },
      },
    ],
    ['redis-cluster://one/0', { kind: 'cluster', nodes: [{ host: 'one', port: 6_379 }], options: { db: 0 } }],
  ])('parses %s', (url, address) => {
    expect(parseRedisUrl(url)).toEqual(address);
  });

  it.each([
    ['', 'must have the form'],
    ['localhost:6379', 'must have the form'],
    [`http://ann:${CANARY}@localhost`, 'must have the form'],
    [`redis://ann:${CANARY}/x@localhost`, 'must have the form'],
    [`redis://ann:${CANARY}@localhost/three`, 'must have the form'],
    [`redis://ann:${CANARY}?x@localhost`, 'invalid host or port'],
    [`redis://ann:${CANARY}@localhost:0`, 'invalid host or port'],
    [`redis://ann:${CANARY}@localhost:65536`, 'invalid host or port'],
    [`redis://ann:${CANARY}@::1`, 'invalid host or port'],
    [`redis://ann:${CANARY}@one,`, 'several hosts|invalid host or port'],
    [`redis://ann:${CANARY}@one,two`, 'redis-sentinel:// or redis-cluster://'],
    [`redis://ann:${CANARY}%@localhost`, 'write "%" as %25'],
    [`redis-cluster://ann:${CANARY}@one/1`, 'a cluster supports only database 0'],
    [`redis-sentinel://ann:${CANARY}@one`, 'add ?name=mymaster'],
  ])('rejects %s with a solution and without the password', (url, reason) => {
    const parse = () => parseRedisUrl(url);
    expect(parse).toThrow(RedisUrlError);
    expect(parse).toThrow(new RegExp(reason.replaceAll('?', '\\?')));
    expect(parse).not.toThrow(CANARY);
  });

  it.each<[unknown]>([[undefined], [null], [6379], [new URL('redis://localhost')]])(
    'rejects %p, which is not a string',
    (url) => {
      expect(() => parseRedisUrl(url as string)).toThrow(RedisUrlError);
    },
  );
});
