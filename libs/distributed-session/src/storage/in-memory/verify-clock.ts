import { OptionsError } from '../../errors/options.error.js';
import type { Clock } from '../../model/clock.js';

/**
 * Reads a clock twice. It may stand still, as the clock of a test does.
 *
 * @throws {OptionsError} when it does not return the time, or runs backwards.
 */
export function verifyClock(clock: Clock): void {
  const [first, second] = [clock.now(), clock.now()];
  if (![first, second].every((time) => Number.isSafeInteger(time) && time >= 0)) {
    throw unsuitable(`now() returns ${shown(first)}: it must return whole epoch milliseconds, such as Date.now()`);
  }
  if (second < first) {
    throw unsuitable(`now() returned ${first}, then ${second}: it must not run backwards`);
  }
}

/** A number, or the type of any other value. */
function shown(value: unknown): string {
  return typeof value === 'number' ? String(value) : `a value of type ${typeof value}`;
}

function unsuitable(error: string): OptionsError {
  return new OptionsError('The clock of InMemorySessionStorage is not suitable:', [error]);
}
