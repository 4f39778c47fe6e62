import { existsSync, readFileSync } from 'node:fs';

/** Tests that a page cites: titles in one file. `…` in a title stands for the cases of a test. */
export interface CitedTests {
  readonly file: string;
  readonly titles: readonly string[];
}

/** What is wrong with a citation, or `undefined` if the file exists and contains every title. */
export function brokenCitation({ file, titles }: CitedTests): string | undefined {
  if (!existsSync(file)) return `${file} does not exist`;
  if (titles.length === 0) return `no test of ${file} is named`;
  const source = readFileSync(file, 'utf8');
  const missing = titles.filter((title) => !title.split('…').every((part) => source.includes(part.trim())));
  return missing.length === 0 ? undefined : `${file} does not contain "${missing.join('", "')}"`;
}
