import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { codeIn, tableUnder } from './support/markdown.js';

const rows = tableUnder(readFileSync('SECURITY.md', 'utf8'), 'Threats and tests');

/** The cited titles by their files: `` `test/a`: "one"; "two"<br>`src/b.spec.ts`: "three" ``. */
function citations(cell: string): readonly (readonly [file: string, titles: readonly string[]])[] {
  return cell.split('<br>').map((part) => {
    const [path = ''] = codeIn(part);
    const titles = Array.from(part.matchAll(/"([^"]+)"/g), ([, title = '']) => title);
    return [path.endsWith('.ts') ? path : `${path}.e2e-spec.ts`, titles] as const;
  });
}

describe("SECURITY.md's table of threats", () => {
  it.each(rows.map(([threat = '', , tests = '']) => [threat, citations(tests)] as const))(
    'cites tests that exist: %s',
    (_threat, cited) => {
      for (const [file, titles] of cited) {
        expect([file, existsSync(file)]).toEqual([file, true]);
        const source = readFileSync(file, 'utf8');
        expect(titles).not.toEqual([]);
        // `…` stands for the cases of a test.
        const missing = titles.filter((title) => !title.split('…').every((part) => source.includes(part.trim())));
        expect([file, missing]).toEqual([file, []]);
      }
    },
  );
});
