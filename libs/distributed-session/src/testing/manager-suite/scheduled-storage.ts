import type { Scheduler } from 'fast-check';
import type { SessionStorage } from '../../storage/session-storage.js';

/** Members that do not call a store. */
const IMMEDIATE: readonly (string | symbol)[] = [
  'services',
  'now',
  'nextSessionId',
  'changes',
  'feedLagMs',
  'connect',
  'close',
];

/** Wraps a storage so that a scheduler decides when each call is sent and when each reply arrives. */
export function scheduled(storage: SessionStorage, scheduler: Scheduler): SessionStorage {
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
