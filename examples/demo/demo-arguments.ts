import { parseArgs } from 'node:util';
import { DemoUsageError } from './demo-usage.error.js';

export interface DemoArguments {
  /** Each service as a process of its own, on the session service, instead of all in this one. */
  readonly processes: boolean;
}

const USAGE = `Usage: npm run demo [-- --processes]

  Without arguments, the three services run in one process and share an in-memory storage.
  --processes   The session service and the three services run as processes of their own;
                the services reach their sessions over REST.`;

/** Reads the arguments of the demo; throws {@link DemoUsageError} for unknown ones. */
export function demoArguments(args: readonly string[]): DemoArguments {
  try {
    const { values } = parseArgs({ args: [...args], options: { processes: { type: 'boolean', default: false } } });
    return { processes: values.processes };
  } catch (error) {
    throw new DemoUsageError(`${(error as Error).message}\n\n${USAGE}`, 2);
  }
}
