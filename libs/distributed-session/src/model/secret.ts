import { inspect } from 'node:util';

const SHOWN = '[secret]';

/**
 * Holds a secret that logs, `JSON.stringify()`, `util.inspect()`, `structuredClone()` and other dumps do not show: they
 * contain `[secret]`, or nothing. Only {@link reveal} returns it.
 *
 * @example
 * const pepper = new Secret(process.env.SECRET_PEPPER!);
 * const sessions = DistributedSessionModule.forRoot({ serviceId: 'order', storage, secretPepper: pepper });
 */
export class Secret<T = string> {
  readonly #value: T;

  constructor(value: T) {
    this.#value = value;
    Object.freeze(this);
  }

  /** Returns the value of a secret, and any other value as it is. */
  static revealed<T>(value: T | Secret<T>): T {
    return value instanceof Secret ? value.reveal() : value;
  }

  /** Returns the secret. */
  reveal(): T {
    return this.#value;
  }

  /** Returns `[secret]`. */
  toString(): string {
    return SHOWN;
  }

  /** Returns `[secret]`. */
  toJSON(): string {
    return SHOWN;
  }

  [inspect.custom](): string {
    return SHOWN;
  }
}

/**
 * Makes `util.inspect()` treat the instances of a class as plain objects. With `showHidden` and `getters` it would
 * otherwise read the getters of the class, which return secrets.
 */
export function hideGetters(prototype: object): void {
  Object.defineProperty(prototype, 'constructor', { value: Object });
}
