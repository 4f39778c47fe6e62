import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { type CitedTests, brokenCitation } from './support/cited-tests.js';
import { sectionOf, tablesIn } from './support/markdown.js';

const rows = tablesIn(sectionOf(readFileSync('README.md', 'utf8'), 'Compatibility')).flat();

/** The cited titles by their files: `[one](test/a.e2e-spec.ts)<br>[two](src/b.spec.ts)`. */
function citations(cell: string): readonly CitedTests[] {
  return Array.from(cell.matchAll(/\[([^\]]+)\]\(([^)]+)\)/g), ([, title = '', file = '']) => ({
    file,
    titles: [title],
  }));
}

describe("the README's tables of compatibility", () => {
  it('cover runtimes and stores', () => {
    expect(rows.map(([subject]) => subject)).toEqual(expect.arrayContaining(['Nest', 'Redis Cluster', 'PostgreSQL']));
  });

  it.each(rows.map((row) => [row[0]!, citations(row.at(-1)!)] as const))(
    'cite tests that exist: %s',
    (_subject, cited) => {
      expect(cited).not.toEqual([]);
      expect(cited.map(brokenCitation).filter((problem) => problem !== undefined)).toEqual([]);
      // Only these files are run: test/tiers.js leaves none of them out of the full tier.
      expect(cited.filter(({ file }) => !/\.(?:e2e-)?spec\.ts$/.test(file))).toEqual([]);
    },
  );
});
