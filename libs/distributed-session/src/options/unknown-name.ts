import { closestMatch } from 'leven';
import { NOT_SHOWN, shownName } from '../model/shown-name.js';

/** Beyond this edit distance, or half the name's length, an unknown name is not treated as a misspelt one. */
const MAX_TYPING_DISTANCE = 4;
/** Shorter than any secret that this library accepts by default. */
const SHORT_WORD = /^[\w[\] *]{1,11}$/;

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
  const shown = shownUnknown(name, known);
  const start = shown === NOT_SHOWN ? `Unknown ${noun}, not shown here.` : `Unknown ${noun} "${path}${shown}".`;
  const meant = meantBy(name, known);
  if (meant !== undefined) return `${start} Did you mean "${path}${meant}"?`;
  const all = known.toSorted().map((one) => `${path}${one}`);
  return `${start} Known ${noun}s: ${all.join(', ')}.`;
}

/**
 * Returns an unknown name, or a path of names, as errors may repeat it. A name that is neither a misspelt known name, nor
 * a short word, nor one of `Object.prototype` may be a secret in the wrong place, and is replaced by `…`.
 *
 * @example
 * shownUnknown('devise', ['device']); // devise
 */
export function shownUnknown(path: string, known: readonly string[]): string {
  const isShown = (name: string) => {
    return SHORT_WORD.test(name) || name in Object.prototype || meantBy(name, known) !== undefined;
  };
  return path
    .split('.')
    .map((name) => (isShown(name) ? shownName(name) : NOT_SHOWN))
    .join('.');
}

function meantBy(name: string, known: readonly string[]): string | undefined {
  return closestMatch(name, known, { maxDistance: Math.min(MAX_TYPING_DISTANCE, Math.floor(name.length / 2)) });
}
