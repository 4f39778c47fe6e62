import { describe, expect, it } from '@jest/globals';
import { decideOn } from '../../src/redis/install-redis.js';

/** What `redis-server --version` prints. */
const VERSION = 'Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=ae4d7c971a948f0\n';

describe('the installation of redis-server', () => {
  it('uses an installed server, for any user', () => {
    expect(decideOn({ version: VERSION, isRoot: false, hasApt: false })).toBe('use it');
    expect(decideOn({ version: VERSION, isRoot: true, hasApt: true })).toBe('use it');
    expect(decideOn({ version: 'Redis server v=10.2.0 sha=0', isRoot: true, hasApt: true })).toBe('use it');
  });

  it('installs a server as root on a Debian-like system', () => {
    expect(decideOn({ version: undefined, isRoot: true, hasApt: true })).toBe('install it');
  });

  it.each([
    ['not as root', { version: undefined, isRoot: false, hasApt: true }, '`sudo apt-get install'],
    ['without apt-get', { version: undefined, isRoot: true, hasApt: false }, '`brew install redis`'],
    ['beside one that is too old', { version: 'Redis server v=6.2.7 sha=0', isRoot: true, hasApt: true }, 'v=6.2.7'],
    ['beside one without a version', { version: 'something else', isRoot: true, hasApt: true }, 'something else'],
  ])('says what to do and installs nothing %s', (_, system, words) => {
    expect(() => decideOn(system)).toThrow(words);
  });
});
