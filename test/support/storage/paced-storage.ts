import type { SessionStorage } from 'nestjs-distributed-session';
import { UnreliableStorage } from '@distributed-session/session-history/unreliable-storage.js';

const PAUSE_MS = 2;

/** The same storage for a load that must not become a flood where calls are refused at once. */
export function paced(storage: SessionStorage): SessionStorage {
  return new UnreliableStorage(storage, () => 'executed', pause).storage;
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
}
