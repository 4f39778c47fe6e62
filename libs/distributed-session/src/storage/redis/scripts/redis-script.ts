import { createHash } from 'node:crypto';

export type ScriptArgument = string | number | Buffer;

interface ScriptDefinition<Key extends string, Argument extends string> {
  readonly name: string;
  /** `no-writes`: runs for read-only users too. `allow-oom`: runs also when the server's memory is full. */
  readonly flags?: readonly ('no-writes' | 'allow-oom')[];
  /** The names of the keys, in order: the script's locals, and the fields that a caller passes. */
  readonly keys: readonly Key[];
  readonly args: readonly Argument[];
  /** Fragments that the body requires. */
  readonly uses?: readonly string[];
  readonly body: string;
}

/**
 * A Lua script with named keys and arguments. The names become the script's locals and the fields of a call, so that no
 * two can be swapped. A script is atomic: its server runs no other command between the script's first and last.
 */
export class RedisScript<Key extends string = string, Argument extends string = string> {
  readonly name: string;
  readonly source: string;
  readonly sha: string;
  /** Whether it changes nothing, so that it can be repeated and a lost reply is harmless. */
  readonly isReadOnly: boolean;
  readonly #keys: readonly Key[];
  readonly #args: readonly Argument[];

  constructor({ name, flags = [], keys, args, uses = [], body }: ScriptDefinition<Key, Argument>) {
    this.name = name;
    this.isReadOnly = flags.includes('no-writes');
    this.#keys = keys;
    this.#args = args;
    const locals = [
      ...keys.map((key, index) => `local ${key} = KEYS[${index + 1}]`),
      ...args.map((argument, index) => `local ${argument} = ARGV[${index + 1}]`),
    ];
    this.source = [`#!lua flags=${flags.join(',')}`, `-- ${name}`, ...locals, ...uses, body.trim(), ''].join('\n');
    this.sha = createHash('sha1').update(this.source).digest('hex');
  }

  /** Returns the parameters after the digest in `EVALSHA`: the number of keys, the keys, the arguments. */
  pack(keys: Readonly<Record<Key, string>>, args: Readonly<Record<Argument, ScriptArgument>>): ScriptArgument[] {
    return [this.#keys.length, ...this.#keys.map((key) => keys[key]), ...this.#args.map((name) => args[name])];
  }

  /** Returns what tracers may show of a call: the script's name, the keys, and a `?` for each argument. */
  shown(packed: readonly ScriptArgument[]): ScriptArgument[] {
    return [this.name, ...packed.map((value, index) => (index <= this.#keys.length ? value : '?'))];
  }
}
