import { createHash, randomInt } from 'node:crypto';
import type { SessionStorage } from 'nestjs-distributed-session';
import type { Latencies } from './latencies.js';

/** Which of the filled sessions are read: their numbers, of which every fourth has ended. */
export interface LiveRange {
  readonly from: number;
  readonly to: number;
}

/** Reads live sessions, so many at a time, until the time is up. */
export async function readFor(
  storage: SessionStorage,
  { live, inFlight, milliseconds }: { live: LiveRange; inFlight: number; milliseconds: number },
  latencies: Latencies,
): Promise<void> {
  const endsAt = performance.now() + milliseconds;
  const readOnAndOn = async (): Promise<void> => {
    while (performance.now() < endsAt) {
      const sessionId = liveId(live);
      const startedAt = performance.now();
      const session = await storage.get(sessionId);
      latencies.add(performance.now() - startedAt);
      if (session?.state !== 'live') throw new Error(`Not a live session: ${sessionId}`);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, readOnAndOn));
}

/** The id that the table was filled with. */
function liveId({ from, to }: LiveRange): string {
  const drawn = randomInt(from, to);
  // Every fourth has ended.
  const number = drawn % 4 === 0 ? drawn + 1 : drawn;
  const digits = createHash('md5').update(String(number)).digest('hex');
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/u, '$1-$2-$3-$4-$5');
}
