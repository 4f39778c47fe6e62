import { describe, expect, it } from '@jest/globals';
import { decideOn } from '../../src/postgres/install-postgres.js';

/** A server that was found, with the output of `postgres --version`. */
function server(version: string, folder = `/usr/lib/postgresql/${version}/bin`) {
  return { folder, version: `postgres (PostgreSQL) ${version}\n` };
}

const OLD = server('13.14');
const DEBIAN = {
  folder: '/usr/lib/postgresql/15/bin',
  version: 'postgres (PostgreSQL) 15.8 (Debian 15.8-0+deb12u1)\n',
};
const BETA = server('18beta1');

describe('the installation of PostgreSQL', () => {
  it('uses the newest installed server, for any user', () => {
    const servers = [OLD, DEBIAN, server('14.2')];
    expect(decideOn({ servers, isRoot: false, hasApt: false })).toBe(DEBIAN);
    expect(decideOn({ servers, isRoot: true, hasApt: true })).toBe(DEBIAN);
    expect(decideOn({ servers: [DEBIAN, BETA], isRoot: true, hasApt: true })).toBe(BETA);
    expect(decideOn({ servers: [server('14.0')], isRoot: true, hasApt: true })).toEqual(server('14.0'));
  });

  it('prefers the server on the PATH among servers of the same major version', () => {
    const first = server('15.2', '/opt/bin');
    expect(decideOn({ servers: [first, DEBIAN], isRoot: true, hasApt: true })).toBe(first);
  });

  it('installs a server as root on a Debian-like system', () => {
    expect(decideOn({ servers: [], isRoot: true, hasApt: true })).toBe('install it');
  });

  it.each([
    ['not as root', { servers: [], isRoot: false, hasApt: true }, '`sudo apt-get install'],
    ['without apt-get', { servers: [], isRoot: true, hasApt: false }, '`brew install postgresql@'],
    ['beside one that is too old', { servers: [OLD], isRoot: true, hasApt: true }, '13.14 in /usr/lib/postgresql/13'],
    [
      'beside a stranger',
      { servers: [{ folder: '/bin', version: 'else' }], isRoot: true, hasApt: true },
      'else in /bin',
    ],
  ])('says what to do and installs nothing %s', (_, system, words) => {
    expect(() => decideOn(system)).toThrow(words);
  });
});
