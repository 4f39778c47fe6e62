/** Stands for a name that is not repeated. */
export const NOT_SHOWN = '…';

const MAX_LENGTH = 40;
const MAX_DIGITS = 8;
const MAX_WORDS = 6;
/** The names in a path such as `attributes.cart.items[2]`. */
const NAMES = /[^.[\]]+/g;

/**
 * Returns a path or a name that a caller sent, as messages and error fields may repeat it. A name that does not read
 * like an identifier may be a secret in the wrong place, and is replaced by `…`.
 */
export function shownName(path: string): string {
  return path.replace(NAMES, (name) => (readsLikeIdentifier(name) ? name : NOT_SHOWN));
}

/** Random text is long, contains many digits, or changes often between lower case, upper case, digits and signs. */
function readsLikeIdentifier(name: string): boolean {
  if (name.length > MAX_LENGTH || !/^[\w $@*:/()-]+$/.test(name)) return false;
  const words = name.match(/[A-Z]*[a-z]+|[A-Z]+|\d+/g) ?? [];
  return words.length <= MAX_WORDS && name.replace(/\D/g, '').length <= MAX_DIGITS;
}
