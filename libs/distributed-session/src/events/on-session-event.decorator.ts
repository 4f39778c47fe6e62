import { OptionsError } from '../errors/options.error.js';
import {
  type ModuleName,
  type ModuleSelection,
  isModuleSelection,
  selectedModule,
} from '../options/module-selection.js';
import { unknownName } from '../options/unknown-name.js';
import { SESSION_EVENT_TYPES, type SessionEventMap, type SessionEventType } from '../session/session-event.js';

const LISTENS_TO = Symbol('nestjs-distributed-session listens to');

/** What a method listens to: these types, in one module. */
export interface Listening {
  readonly module: ModuleName;
  readonly types: readonly SessionEventType[];
}

/**
 * Calls this method of a provider or controller for each event of these types, from any process that shares the
 * storage: the events of the module without a name, or of the one that `{ module }` selects. If the method throws or
 * rejects, the error is logged and nothing else is affected. The class must have the default scope: an application with
 * a request-scoped or transient listener does not start, nor one with a listener of an unknown module.
 *
 * @example
 * `class Log { @OnSessionEvent('session.ended') onEnd({ sessionId }: SessionEventMap['session.ended']) {} }`
 *
 * @example
 * `class Log { @OnSessionEvent('session.created', { module: 'admins' }) onAdmin(e: SessionEventMap['session.created']) {} }`
 *
 * @throws {OptionsError} when an event type is unknown, without one, or when the module's name is invalid.
 */
export function OnSessionEvent<T extends SessionEventType>(type: T, ...more: (T | ModuleSelection)[]) {
  const listening = listeningOf([type, ...more]);
  return <M extends (event: SessionEventMap[T]) => unknown>(
    _target: object,
    _method: string | symbol,
    descriptor: TypedPropertyDescriptor<M>,
  ): void => {
    const { module } = listening;
    const earlier = listeningsOf(descriptor.value!);
    const types = earlier.filter((one) => one.module === module).flatMap((one) => one.types);
    const others = earlier.filter((one) => one.module !== module);
    const all = [...others, { module, types: [...types, ...listening.types] }];
    Reflect.defineMetadata(LISTENS_TO, all, descriptor.value!);
  };
}

/** Returns what a method listens to: one entry for each module. */
export function listeningsOf(method: object): readonly Listening[] {
  return (Reflect.getMetadata(LISTENS_TO, method) as Listening[] | undefined) ?? [];
}

function listeningOf(given: readonly (SessionEventType | ModuleSelection)[]): Listening {
  const types = given.filter((one): one is SessionEventType => !isModuleSelection(one));
  const selections = given.filter(isModuleSelection);
  if (types[0] === undefined) {
    const known = `Known event types: ${SESSION_EVENT_TYPES.join(', ')}.`;
    throw new OptionsError('@OnSessionEvent() requires at least one event type:', [known]);
  }
  const unknown = types.find((type) => !SESSION_EVENT_TYPES.includes(type));
  if (unknown !== undefined) {
    const error = unknownName('event type', unknown, SESSION_EVENT_TYPES);
    throw new OptionsError('Invalid arguments for @OnSessionEvent():', [error]);
  }
  if (selections.length > 1) {
    const error = 'it selects several modules: use one decorator for each.';
    throw new OptionsError('Invalid arguments for @OnSessionEvent():', [error]);
  }
  return { types, module: selectedModule(selections[0], '@OnSessionEvent()') };
}
