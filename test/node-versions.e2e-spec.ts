import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { MAJORS, RUNS } from './support/node-versions.js';
import { LIBRARY, ROOT } from './support/packed-library.js';

/** The ranges of Node in a package.json: the lowest version of each. */
function supported(folder: string): string[] {
  const { engines } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { engines: { node: string } };
  return engines.node.split(' || ').map((range) => /^(?:\^|>=)(\d+\.\d+\.\d+)$/.exec(range)![1]!);
}

describe('The supported versions of Node', () => {
  it('are the same for the library and for the session service', () => {
    expect(supported(LIBRARY)).toEqual(supported(ROOT));
  });

  it('include the one that runs this test', () => {
    const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
    const lowest = supported(ROOT).map((version) => version.split('.').map(Number) as [number, number]);
    expect(lowest.some(([x, y]) => (x === major && minor >= y) || major > lowest.at(-1)![0])).toBe(true);
  });

  it('run the fast tier and the tests of the package, beside the first, which runs everything', () => {
    const [, ...others] = supported(ROOT).map((version) => Number(version.split('.')[0]));
    expect(MAJORS).toEqual(others);
    expect(RUNS).toContainEqual({ tier: 'fast', paths: [] });
    expect(RUNS).toContainEqual({ tier: 'full', paths: expect.arrayContaining(['test/package']) });
  });
});
