/** A fenced block of a page: ```` ```ts continued ```` has the language `ts` and the note `continued`. */
export interface CodeBlock {
  readonly language: string;
  readonly note: string;
  readonly code: string;
  /** The line of the page on which the code starts, from 1. */
  readonly line: number;
}

/** The rows of a table, without the header, each as the text of its cells. */
type Table = readonly (readonly string[])[];

/** The fenced blocks of a page, in order. */
export function codeBlocks(page: string): readonly CodeBlock[] {
  return [...page.matchAll(/^```(\w+)[ \t]*(.*)\n([\s\S]*?)^```$/gm)].map((match) => {
    const [, language = '', note = '', code = ''] = match;
    return { language, note: note.trim(), code, line: page.slice(0, match.index).split('\n').length + 1 };
  });
}

/** The rows of the first table under a heading, without the header, each as the text of its cells. */
export function tableUnder(page: string, heading: string): Table {
  const [table] = tablesIn(fromHeading(page, heading));
  if (table === undefined) throw new Error(`The heading '${heading}' has no table.`);
  return table;
}

/** The text under a heading of the second level, including its subsections. */
export function sectionOf(page: string, heading: string): string {
  return fromHeading(page, heading).slice(1).split(/^## /m)[0]!;
}

/** All tables of a text, in order. */
export function tablesIn(text: string): readonly Table[] {
  return Array.from(text.matchAll(/\n(\|[^\n]*\n(?:\|[^\n]*\n)+)/g), ([, table = '']) =>
    table.trim().split('\n').slice(2).map(cellsOf),
  );
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

/** A page from a heading to its end. */
function fromHeading(page: string, heading: string): string {
  const start = page.search(new RegExp(`^#+ ${heading}$`, 'm'));
  if (start < 0) throw new Error(`The page has no heading '${heading}'.`);
  return page.slice(start);
}

function cellsOf(row: string): readonly string[] {
  return row
    .split(/(?<!\\)\|/)
    .slice(1, -1)
    .map((cell) => cell.trim().replaceAll(String.raw`\|`, '|'));
}
