/** A noncharacter, which Unicode reserves for internal use, so that texts practically never contain it. */
const ESCAPE = '\u{FDD0}';

/**
 * A text in a form that PostgreSQL can store: its `text` holds every character except the zero byte. That one becomes
 * U+FDD0 followed by `0`, and U+FDD0 itself becomes U+FDD0 followed by `1`.
 */
export function escapeText(text: string): string {
  return text.replaceAll(ESCAPE, `${ESCAPE}1`).replaceAll('\0', `${ESCAPE}0`);
}

/** Reverses {@link escapeText}. */
export function unescapeText(stored: string): string {
  return stored.replaceAll(`${ESCAPE}0`, '\0').replaceAll(`${ESCAPE}1`, ESCAPE);
}
