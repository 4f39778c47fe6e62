import { monitorEventLoopDelay } from 'node:perf_hooks';

const delays = monitorEventLoopDelay({ resolution: 10 });
delays.enable();

/**
 * How much longer than its deadline a call may take to settle, in milliseconds: what its last steps may cost, and as long
 * as this process ever had to wait for the machine, when nothing settles.
 */
export function slackMs(): number {
  return 700 + delays.max / 1e6;
}
