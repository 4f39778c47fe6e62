/** A fenced block of a page: ```` ```ts continued ```` has the language `ts` and the note `continued`. */
export interface CodeBlock {
  readonly language: string;
  readonly note: string;
  readonly code: string;
  /** The line of the page on which the code starts, from 1. */
  readonly line: number;
}

/** The fenced blocks of a page, in order. */
export function codeBlocks(page: string): readonly CodeBlock[] {
  return [...page.matchAll(/^```(\w+)[ \t]*(.*)\n([\s\S]*?)^```$/gm)].map((match) => {
    const [, language = '', note = '', code = ''] = match;
    return { language, note: note.trim(), code, line: page.slice(0, match.index).split('\n').length + 1 };
  });
}

/** The rows of the table under a heading, without the header, each as the text of its cells. */
export function tableUnder(page: string, heading: string): readonly (readonly string[])[] {
  const start = page.search(new RegExp(`^#+ ${heading}$`, 'm'));
  if (start < 0) throw new Error(`The page has no heading '${heading}'.`);
  const [, table] = /\n(\|[^\n]*\n(?:\|[^\n]*\n)+)/.exec(page.slice(start)) ?? [];
  if (table === undefined) throw new Error(`The heading '${heading}' has no table.`);
  return table.trim().split('\n').slice(2).map(cellsOf);
}

/** The code spans in a cell. */
export function codeIn(cell: string): readonly string[] {
  return Array.from(cell.matchAll(/`([^`]+)`/g), ([, code = '']) => code);
}

/** The targets of a page's links and images, outside its code blocks. */
export function linkTargets(page: string): readonly string[] {
  const prose = page.replaceAll(/^```[\s\S]*?^```$/gm, '');
  return Array.from(prose.matchAll(/\]\(([^)\s]+)[^)]*\)/g), ([, target = '']) => target);
}

function cellsOf(row: string): readonly string[] {
  return row
    .split(/(?<!\\)\|/)
    .slice(1, -1)
    .map((cell) => cell.trim().replaceAll(String.raw`\|`, '|'));
}
