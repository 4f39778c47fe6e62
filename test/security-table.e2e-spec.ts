import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { type CitedTests, brokenCitation } from './support/cited-tests.js';
import { codeIn, tableUnder } from './support/markdown.js';

const rows = tableUnder(readFileSync('SECURITY.md', 'utf8'), 'Threats and tests');

/** The cited titles by their files: `` `test/a`: "one"; "two"<br>`src/b.spec.ts`: "three" ``. */
function citations(cell: string): readonly CitedTests[] {
  return cell.split('<br>').map((part) => {
    const [path = ''] = codeIn(part);
    const titles = Array.from(part.matchAll(/"([^"]+)"/g), ([, title = '']) => title);
    return { file: path.endsWith('.ts') ? path : `${path}.e2e-spec.ts`, titles };
  });
}

describe("SECURITY.md's table of threats", () => {
  it.each(rows.map(([threat = '', , tests = '']) => [threat, citations(tests)] as const))(
    'cites tests that exist: %s',
    (_threat, cited) => {
      expect(cited.map(brokenCitation).filter((problem) => problem !== undefined)).toEqual([]);
    },
  );
});
