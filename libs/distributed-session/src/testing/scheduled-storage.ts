import type fc from 'fast-check';
import type { SessionStorage } from '../storage/session-storage.js';

/** What answers at once and is no call to a store. */
const IMMEDIATE: readonly (string | symbol)[] = [
  'services',
  'now',
  'nextSessionId',
  'changes',
  'feedLagMs',
  'connect',
  'close',
];

/**
 * A storage whose calls, and whose replies, wait for a scheduler: between any two of them, and between a call and its
 * reply, other callers may come first.
 */
export function scheduled(storage: SessionStorage, scheduler: fc.Scheduler): SessionStorage {
  return new Proxy(storage, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== 'function') return member;
      const method = member.bind(target) as (...args: unknown[]) => unknown;
      if (IMMEDIATE.includes(name)) return method;
      return async (...args: unknown[]): Promise<unknown> => {
        await scheduler.schedule(Promise.resolve(), `${String(name)} is sent`);
        const reply = await method(...args);
        return scheduler.schedule(Promise.resolve(reply), `the reply to ${String(name)} arrives`);
      };
    },
  });
}
