import { closestMatch } from 'leven';

/** Beyond this edit distance, or half the name's length, an unknown name is not treated as a misspelt one. */
const MAX_TYPING_DISTANCE = 4;

/**
 * Returns the error for a name that is not one of the known names: `Unknown option "devise". Did you mean "device"?` If
 * it resembles none of them, the error lists them.
 *
 * @example
 * unknownName('query parameter', 'limits', ['cursor', 'limit']); // Unknown query parameter "limits". Did you mean "limit"?
 *
 * @param noun - What the name stands for, in the singular, such as `option`.
 * @param path - Precedes each name, such as `client.`
 */
export function unknownName(noun: string, name: string, known: readonly string[], path = ''): string {
  const meant = closestMatch(name, known, { maxDistance: Math.min(MAX_TYPING_DISTANCE, Math.floor(name.length / 2)) });
  if (meant !== undefined) return `Unknown ${noun} "${path}${name}". Did you mean "${path}${meant}"?`;
  const all = known.toSorted().map((one) => `${path}${one}`);
  return `Unknown ${noun} "${path}${name}". Known ${noun}s: ${all.join(', ')}.`;
}
