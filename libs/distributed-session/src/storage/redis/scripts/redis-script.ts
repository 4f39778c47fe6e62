import { createHash } from 'node:crypto';

export type ScriptArgument = string | number | Buffer;

interface ScriptDefinition<Key extends string, Argument extends string> {
  readonly name: string;
  /** `no-writes` also runs for users who may only read; `allow-oom` also when the server's memory is full. */
  readonly flags?: readonly ('no-writes' | 'allow-oom')[];
  /** The names of the keys, in their order: locals of the script, and what a caller must pass. */
  readonly keys: readonly Key[];
  readonly args: readonly Argument[];
  /** Fragments that the body builds on. */
  readonly uses?: readonly string[];
  readonly body: string;
}

/**
 * A Lua script with named keys and arguments. The names become the locals of the script and the fields of a call, so
 * that no two can be swapped. A script is atomic: no other command runs on its server between its first and its last.
 */
export class RedisScript<Key extends string = string, Argument extends string = string> {
  readonly name: string;
  readonly source: string;
  readonly sha: string;
  /** Whether it can be repeated without harm, and the outcome of a lost reply does not matter. */
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

  /** What follows the script's name in `EVALSHA`: the number of keys, the keys, the arguments. */
  pack(keys: Readonly<Record<Key, string>>, args: Readonly<Record<Argument, ScriptArgument>>): ScriptArgument[] {
    return [this.#keys.length, ...this.#keys.map((key) => keys[key]), ...this.#args.map((name) => args[name])];
  }
}
