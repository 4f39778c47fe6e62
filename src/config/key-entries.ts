/** An entry that stands for no key. */
export const NO_KEY = 'none';

/**
 * Returns the entries of a variable with a key or a secret: one, or several while it is changed. They are separated by
 * white space: spaces, or the lines of a file. A JSON array of texts is for a key that contains white space.
 */
export function keyEntries(value: string | undefined): readonly string[] {
  if (value === undefined) return [];
  return fromJson(value) ?? value.split(/\s+/).filter((entry) => entry !== '');
}

function fromJson(value: string): readonly string[] | undefined {
  if (!/^\s*\[/.test(value)) return undefined;
  try {
    const parsed: unknown = JSON.parse(value);
    return Array.isArray(parsed) && parsed.every((entry) => typeof entry === 'string') ? parsed : undefined;
  } catch {
    return undefined;
  }
}
