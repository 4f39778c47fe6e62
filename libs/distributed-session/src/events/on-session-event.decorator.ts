import type { SessionEventMap, SessionEventType } from '../session/session-event.js';
import { SESSION_EVENT_TYPES } from '../session/session-event.js';
import { OptionsError } from '../errors/options.error.js';

const LISTENS_TO = Symbol('nestjs-distributed-session listens to');

/**
 * Calls this method of a provider or controller with each event of these types, from any process that shares the
 * storage. What it throws, or rejects with, is logged and disturbs nothing. Not for request-scoped classes.
 */
export function OnSessionEvent<T extends SessionEventType>(...types: [T, ...T[]]) {
  const unknown = types.find((type) => !SESSION_EVENT_TYPES.includes(type));
  if (types.length === 0 || unknown !== undefined) {
    const known = SESSION_EVENT_TYPES.join(', ');
    throw new OptionsError('@OnSessionEvent() cannot listen:', [`'${unknown ?? ''}' is no event. Events: ${known}.`]);
  }
  return <M extends (event: SessionEventMap[T]) => unknown>(
    _target: object,
    _method: string | symbol,
    descriptor: TypedPropertyDescriptor<M>,
  ): void => {
    Reflect.defineMetadata(LISTENS_TO, [...eventTypesOf(descriptor.value!), ...types], descriptor.value!);
  };
}

/** The events that a method listens to. */
export function eventTypesOf(method: object): readonly SessionEventType[] {
  return (Reflect.getMetadata(LISTENS_TO, method) as SessionEventType[] | undefined) ?? [];
}
