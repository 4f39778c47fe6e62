import { InMemorySessionStorage, StorageUnavailableError } from 'nestjs-distributed-session';
import type { SessionRecord } from 'nestjs-distributed-session/storage';
import { FakeClock } from 'nestjs-distributed-session/testing';

const HOUR = 3_600_000;

/** The clock of every storage: no test moves it. */
const CLOCK = new FakeClock();

/** An in-memory storage that records the batches to touch, and delays or fails them as a test requires. */
export class BatchStorage extends InMemorySessionStorage {
  readonly batches: string[][] = [];
  held: Promise<void> | undefined;
  down = false;

  constructor() {
    super({ clock: CLOCK });
  }

  override async touch(sessionIds: readonly string[]) {
    this.batches.push([...sessionIds]);
    await this.held;
    if (this.down) throw new StorageUnavailableError();
    return super.touch(sessionIds);
  }
}

/** A promise with its resolver. */
export function gate(): { readonly held: Promise<void>; readonly open: () => void } {
  let open!: () => void;
  const held = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { held, open };
}

/** A live session whose last access was that long ago. */
export function record(sessionId: string, accessedAgoMs: number, idleTimeoutMs?: number): SessionRecord {
  const lastAccessedAt = CLOCK.now() - accessedAgoMs;
  return {
    state: 'live',
    sessionId,
    loginId: 'u',
    serviceId: 's',
    version: 1,
    payload: new Uint8Array(),
    createdAt: 0,
    lastAccessedAt,
    expiresAt: CLOCK.now() + HOUR,
    ...(idleTimeoutMs !== undefined && { idleTimeoutMs }),
  };
}
