import type { SessionStorage } from 'nestjs-distributed-session';
import { UnreliableStorage } from '@distributed-session/session-history/unreliable-storage.js';

const PAUSE_MS = 2;

/** Pauses before and after each call, so that a load does not become a flood while calls fail immediately. */
export function paced(storage: SessionStorage): SessionStorage {
  return new UnreliableStorage(storage, () => 'executed', pause).storage;
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
}
