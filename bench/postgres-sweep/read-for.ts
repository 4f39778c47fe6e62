import { createHash, randomInt } from 'node:crypto';
import type { SessionStorage } from 'nestjs-distributed-session';
import type { Latencies } from './latencies.js';

/** The numbers of the sessions to read. Every fourth of these has ended. */
export interface LiveRange {
  readonly from: number;
  readonly to: number;
}

/** Reads live sessions for a time, a fixed number of them concurrently. */
export async function readFor(
  storage: SessionStorage,
  { live, inFlight, milliseconds }: { live: LiveRange; inFlight: number; milliseconds: number },
  latencies: Latencies,
): Promise<void> {
  const endsAt = performance.now() + milliseconds;
  const readRepeatedly = async (): Promise<void> => {
    while (performance.now() < endsAt) {
      const sessionId = liveId(live);
      const startedAt = performance.now();
      const session = await storage.get(sessionId);
      latencies.add(performance.now() - startedAt);
      if (session?.state !== 'live') throw new Error(`Not a live session: ${sessionId}`);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, readRepeatedly));
}

/** The id of a random live session in the range. */
function liveId({ from, to }: LiveRange): string {
  const drawn = randomInt(from, to);
  // Skips those that have ended.
  const number = drawn % 4 === 0 ? drawn + 1 : drawn;
  const digits = createHash('md5').update(String(number)).digest('hex');
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/u, '$1-$2-$3-$4-$5');
}
