import { slackMs } from './slack.js';

/**
 * How long a storage may take to work again by itself, in milliseconds: 5 s, and more on a busy machine, where the servers
 * wait as long for the processor as this process does.
 */
export function recoveryMs(): number {
  return 5_000 + 4 * slackMs();
}
