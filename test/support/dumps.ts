import { deserialize, serialize } from 'node:v8';
import { format, inspect, types } from 'node:util';

/** The getters that return a secret on purpose. A getter of a prototype cannot be found by listing an object. */
const DOCUMENTED = ['token', 'credential', 'secret'];

/** `inspect()` repeats what is reached in several ways: beyond this depth, a dump of an application takes minutes. */
const DEPTH = 6;

/** Everything that a program may write of an object: logs, debuggers, copies and serializers. */
export function dumpsOf(root: unknown, depth = DEPTH): Record<string, string> {
  const everything = { depth, maxArrayLength: Infinity, maxStringLength: Infinity, breakLength: Infinity };
  const dumps: Record<string, () => unknown> = {
    json: () => JSON.stringify(root),
    text: () => String(root),
    inspected: () => inspect(root, everything),
    'inspected with hidden properties': () => inspect(root, { ...everything, showHidden: true, showProxy: true }),
    'inspected with getters': () => inspect(root, { ...everything, showHidden: true, getters: true }),
    'inspected without its own method': () =>
      inspect(root, { ...everything, showHidden: true, getters: true, customInspect: false }),
    formatted: () => format('%o %O %j %s', root, root, root, root),
    spread: () => inspect({ ...(root as object) }, { ...everything, showHidden: true }),
    descriptors: () => inspect(Object.getOwnPropertyDescriptors(root), everything),
    cloned: () => inspect(structuredClone(root), { ...everything, showHidden: true }),
    serialized: () => inspect(deserialize(serialize(root)), { ...everything, showHidden: true }),
    stack: () => (root as Error).stack,
  };
  return Object.fromEntries(Object.entries(dumps).map(([name, dump]) => [name, textOf(dump)]));
}

/** An object that cannot be written in a form reveals nothing in it. */
function textOf(dump: () => unknown): string {
  try {
    return String(dump());
  } catch (error) {
    return String(error);
  }
}

/**
 * Returns the path of each text below `root` that contains one of the canaries.
 *
 * @param getters - More getters that return a secret on purpose.
 */
export function pathsOf(canaries: readonly string[], root: unknown, getters: readonly string[] = []): string[] {
  const documented = [...DOCUMENTED, ...getters];
  const seen = new Set<unknown>();
  const found: string[] = [];
  const open: [string, unknown][] = [['', root]];
  for (let next = open.pop(); next; next = open.pop()) {
    const [path, value] = next;
    const text = value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : String(textIn(value));
    if (canaries.some((canary) => text.includes(canary))) found.push(path);
    if (!isObject(value) || value instanceof Uint8Array || seen.has(value)) continue;
    seen.add(value);
    for (const [name, below] of partsOf(value, documented)) open.push([`${path}${name}`, below]);
  }
  return found;
}

function textIn(value: unknown): unknown {
  return typeof value === 'string' || typeof value === 'symbol' ? value : '';
}

function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}

/** The properties, with symbols and those that are not enumerable, the contents of collections, and what getters return. */
function* partsOf(value: object, documented: readonly unknown[]): Generator<[string, unknown]> {
  if (types.isMap(value) || types.isSet(value)) {
    for (const [key, item] of value.entries() as Iterable<[unknown, unknown]>) {
      yield ['<key>', key];
      yield [`<${isObject(key) ? 'object' : String(key)}>`, item];
    }
  }
  for (let level: object | null = value; level; level = Object.getPrototypeOf(level) as object | null) {
    if (isBuiltIn(level)) return;
    for (const key of Reflect.ownKeys(level)) {
      if (key === 'constructor' || (level !== value && !isGetter(level, key)) || documented.includes(key)) continue;
      yield [`.${String(key)}`, read(value, key)];
      yield ['<name>', key];
    }
  }
}

function isBuiltIn(level: object): boolean {
  return [Object, Function, Array, Map, Set, Promise, Error].some(({ prototype }) => prototype === level);
}

function isGetter(object: object, key: string | symbol): boolean {
  return Object.getOwnPropertyDescriptor(object, key)?.get !== undefined;
}

function read(object: object, key: string | symbol): unknown {
  try {
    return Reflect.get(object, key);
  } catch {
    return undefined;
  }
}
