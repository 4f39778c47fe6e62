import { OptionsError } from '../errors/options.error.js';
import { unknownName } from '../options/unknown-name.js';
import { SESSION_EVENT_TYPES, type SessionEventMap, type SessionEventType } from '../session/session-event.js';

const LISTENS_TO = Symbol('nestjs-distributed-session listens to');

/**
 * Calls this method of a provider or controller for each event of these types, from any process that shares the
 * storage. If the method throws or rejects, the error is logged and nothing else is affected. The class must have the
 * default scope: an application with a request-scoped or transient listener does not start.
 *
 * @example
 * `class Log { @OnSessionEvent('session.ended') onEnd({ sessionId }: SessionEventMap['session.ended']) {} }`
 *
 * @throws {OptionsError} when an event type is unknown, or without one.
 */
export function OnSessionEvent<T extends SessionEventType>(...types: [T, ...T[]]) {
  if (types.length === 0) {
    const known = `Known event types: ${SESSION_EVENT_TYPES.join(', ')}.`;
    throw new OptionsError('@OnSessionEvent() requires at least one event type:', [known]);
  }
  const unknown = types.find((type) => !SESSION_EVENT_TYPES.includes(type));
  if (unknown !== undefined) {
    const error = unknownName('event type', unknown, SESSION_EVENT_TYPES);
    throw new OptionsError('Invalid arguments for @OnSessionEvent():', [error]);
  }
  return <M extends (event: SessionEventMap[T]) => unknown>(
    _target: object,
    _method: string | symbol,
    descriptor: TypedPropertyDescriptor<M>,
  ): void => {
    Reflect.defineMetadata(LISTENS_TO, [...eventTypesOf(descriptor.value!), ...types], descriptor.value!);
  };
}

/** Returns the event types that a method listens to. */
export function eventTypesOf(method: object): readonly SessionEventType[] {
  return (Reflect.getMetadata(LISTENS_TO, method) as SessionEventType[] | undefined) ?? [];
}
