import type { DistributedSessionManager } from '../../session/distributed-session.manager.js';
import type { StorageContext } from '../storage-context.js';

/** A manager with a session of Alice, and what acts on it as a guest. */
interface Guest {
  readonly sessions: DistributedSessionManager;
  /** The session of Alice, which has attributes. */
  readonly sessionId: string;
  /** Returns the manager of the service `guest` with these permissions. */
  readonly as: (...permissions: string[]) => ReturnType<DistributedSessionManager['as']>;
}

/** Starts a manager, registers a service without permissions and creates the session of Alice. */
export async function startGuest(context: StorageContext): Promise<Guest> {
  const sessions = await context.manager();
  await sessions.registerService({ serviceId: 'weak', serviceName: 'Weak', permissions: [] });
  const { sessionId } = await sessions.createSession('alice', 'the-own-token-of-alice', {
    attributes: { role: 'admin', 'cart.items': 2, 'cart.total': 9, cartoon: 'x', order: {} },
  });
  const as = (...permissions: string[]) => sessions.as({ serviceId: 'guest', permissions });
  return { sessions, sessionId, as };
}
