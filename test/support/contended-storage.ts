import type { ReplaceSession, RotateSession } from 'nestjs-distributed-session/storage';
import { WatchedStorage } from './watched-storage.js';

/** A storage in which, while it is contended, another writer changes a session before each write to it. */
export class ContendedStorage extends WatchedStorage {
  isContended = false;

  override async replace(change: ReplaceSession) {
    await this.#writeFirst(change);
    return super.replace(change);
  }

  override async rotate(rotation: RotateSession) {
    await this.#writeFirst(rotation);
    return super.rotate(rotation);
  }

  /** Changes only the version. */
  async #writeFirst({ sessionId, expectedVersion }: Pick<ReplaceSession, 'sessionId' | 'expectedVersion'>) {
    const stored = this.isContended ? await this.get(sessionId) : undefined;
    if (stored?.state !== 'live') return;
    await super.replace({ sessionId, expectedVersion, payload: stored.payload, by: 'another-writer', touch: false });
  }
}
