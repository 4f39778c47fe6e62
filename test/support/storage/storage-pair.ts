import type { SessionStorage } from 'nestjs-distributed-session';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import { TcpProxy } from '@distributed-session/test-servers/proxy/tcp-proxy.js';
import type { TcpTarget } from '@distributed-session/test-servers/proxy/tcp-proxy-connection.js';
import { settle } from './settled-call.js';

/** Two storages on the same sessions: one that faults befall, and one that sees what is there. */
export interface StoragePair<Storage extends SessionStorage = SessionStorage> {
  /** What stands between `storage` and the server. */
  readonly proxy: TcpProxy;
  readonly storage: Storage;
  /** Connected to the server itself. */
  readonly witness: Storage;
  /** Resolves once `storage` is answered again. */
  readonly waitUntilConnected: () => Promise<void>;
  readonly close: () => Promise<void>;
}

/** Connects a pair of storages, which are made for the address that each is to use. */
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
