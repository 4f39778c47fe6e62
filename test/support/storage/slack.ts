import { monitorEventLoopDelay } from 'node:perf_hooks';

const delays = monitorEventLoopDelay({ resolution: 10 });
delays.enable();

/**
 * How much later than its deadline a call may settle, in milliseconds: the time for its last steps, plus the longest time
 * that this process ever waited for a busy machine, because nothing settles while it waits.
 */
export function slackMs(lastStepsMs = 700): number {
  return lastStepsMs + delays.max / 1e6;
}
