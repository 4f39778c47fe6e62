import { ServiceAuthenticationError } from '../../libs/distributed-session/src/errors/service.errors.js';
import { ServiceAccess } from '../../libs/distributed-session/src/service/service-access.js';
import { ServiceRegistry } from '../../libs/distributed-session/src/service/service-registry.js';
import { ServiceVerifier } from '../../libs/distributed-session/src/service/service-verifier.js';
import { InMemorySessionStorage } from '../../libs/distributed-session/src/storage/in-memory/in-memory-session-storage.js';
import { FakeClock } from '../../libs/distributed-session/src/testing/fake-clock.js';
import { WatchedHasher } from './watched-hasher.js';

export const CHOSEN = 'correct horse battery staple';
export const admin = ServiceAccess.unrestricted('admin');

export type Verification = Awaited<ReturnType<typeof startVerification>>;

/** Starts a verifier whose storage has the service `pay`, and returns its generated secret with it. */
export async function startVerification() {
  const clock = new FakeClock();
  const storage = new InMemorySessionStorage({ clock });
  const hasher = new WatchedHasher();
  // Behaves like another process: its changes arrive only on the feed.
  const registry = new ServiceRegistry(storage.services, hasher, () => {});
  const verifier = new ServiceVerifier(storage, hasher, 30_000);

  const register = async (serviceId: string, secretKey?: string) => {
    const registration = { serviceId, serviceName: serviceId, permissions: [], secretKey };
    const issued = await registry.register(registration, false, admin);
    // The registration arrives on the feed before the test begins.
    await new Promise(setImmediate);
    return issued;
  };

  /** Returns the error of a verification that must fail. */
  const rejection = async (serviceId: unknown, presented: unknown, source?: string) => {
    const error: unknown = await verifier.verify(serviceId, presented, { source }).catch((thrown: unknown) => thrown);
    if (error instanceof ServiceAuthenticationError) return error;
    throw new Error('was not rejected', { cause: error });
  };

  const { secret } = await register('pay');
  return { clock, storage, hasher, registry, verifier, secret, register, rejection };
}
