import { afterAll, afterEach, beforeAll, beforeEach } from '@jest/globals';
import type { SessionStorage } from 'nestjs-distributed-session';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import { TcpProxy } from '@distributed-session/test-servers/proxy/tcp-proxy.js';
import type { TcpTarget } from '@distributed-session/test-servers/proxy/tcp-proxy-connection.js';
import { settle } from './settled-call.js';

/** Two storages on the same sessions: one behind a proxy that injects faults, and one that observes the result. */
export interface StoragePair<Storage extends SessionStorage = SessionStorage> {
  /** Between `storage` and the server. */
  readonly proxy: TcpProxy;
  readonly storage: Storage;
  /** Connected to the server itself. */
  readonly witness: Storage;
  /** Resolves once `storage` receives replies again. */
  readonly waitUntilConnected: () => Promise<void>;
  readonly close: () => Promise<void>;
}

/** Connects a pair of storages; `make` returns a storage for an address. */
export async function openPair<Storage extends SessionStorage>(
  server: TcpTarget,
  make: (address: TcpTarget) => Storage,
): Promise<StoragePair<Storage>> {
  const proxy = await TcpProxy.start(server);
  const [storage, witness] = [make(proxy), make(server)];
  const close = async () => {
    await Promise.all([storage.close(), witness.close()]);
    await proxy.stop();
  };
  try {
    await Promise.all([storage.connect(), witness.connect()]);
  } catch (error) {
    await close();
    throw error;
  }
  const waitUntilConnected = () => eventually(async () => (await settle(() => storage.ping())).outcome === 'read');
  return { proxy, storage, witness, waitUntilConnected, close };
}

/**
 * Opens one pair for all tests of the enclosing `describe` and closes it afterwards. Each test starts with a connected
 * storage, and all faults of the proxy end with it.
 */
export function useStoragePair<Pair extends StoragePair>(open: () => Promise<Pair>): Pair {
  let pair: Pair | undefined;
  beforeAll(async () => {
    pair = await open();
  });
  beforeEach(() => pair!.waitUntilConnected());
  afterEach(() => pair!.proxy.healthy());
  afterAll(() => pair?.close());
  return new Proxy({} as Pair, { get: (_target, name) => Reflect.get(pair!, name) as unknown });
}
