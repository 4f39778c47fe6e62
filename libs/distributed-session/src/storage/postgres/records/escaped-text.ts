/** A character that is none (Unicode reserves it for use within programs), so that a text as good as never holds it. */
const ESCAPE = '\u{FDD0}';

/** A text as PostgreSQL can keep it: its `text` holds every character but the zero byte. */
export function escapeText(text: string): string {
  return text.replaceAll(ESCAPE, `${ESCAPE}1`).replaceAll('\0', `${ESCAPE}0`);
}

/** The text that was escaped. */
export function unescapeText(stored: string): string {
  return stored.replaceAll(`${ESCAPE}0`, '\0').replaceAll(`${ESCAPE}1`, ESCAPE);
}
