import { Logger, type OnApplicationBootstrap } from '@nestjs/common';
import type { DiscoveryService, MetadataScanner } from '@nestjs/core';
import { OptionsError } from '../errors/options.error.js';
import type { InstalledModules, ModuleIdentity } from '../modules/installed-modules.js';
import { shownModule } from '../options/module-selection.js';
import type { SessionEvent } from '../session/session-event.js';
import type { SessionEvents } from '../session/session-events.js';
import { type Listening, listeningsOf } from './on-session-event.decorator.js';

type Wrapper = ReturnType<DiscoveryService['getProviders']>[number];

/** Finds the methods with `@OnSessionEvent()` when the application starts, and subscribes them to a module's events. */
export class SessionEventSubscriber implements OnApplicationBootstrap {
  readonly #logger = new Logger(SessionEventSubscriber.name);
  readonly #discovery: DiscoveryService;
  readonly #scanner: MetadataScanner;
  readonly #events: SessionEvents;
  readonly #module: ModuleIdentity;
  readonly #modules: InstalledModules;

  constructor(
    discovery: DiscoveryService,
    scanner: MetadataScanner,
    events: SessionEvents,
    module: ModuleIdentity,
    modules: InstalledModules,
  ) {
    this.#discovery = discovery;
    this.#scanner = scanner;
    this.#events = events;
    this.#module = module;
    this.#modules = modules;
  }

  onApplicationBootstrap(): void {
    const seen = new Set<object>();
    for (const wrapper of [...this.#discovery.getProviders(), ...this.#discovery.getControllers()]) {
      const prototype = (wrapper.metatype as { prototype?: object } | null)?.prototype;
      if (wrapper.isDependencyTreeStatic() && !wrapper.isTransient) {
        const instance: unknown = wrapper.instance;
        // Two tokens may provide the same instance, which is subscribed only once.
        if (typeof instance !== 'object' || instance === null || seen.has(instance)) continue;
        seen.add(instance);
        this.#subscribe(instance);
      } else if (prototype && this.#listenersOf(prototype).length > 0) {
        throw notStatic(wrapper);
      }
    }
  }

  #subscribe(instance: object): void {
    for (const { name, module, types } of this.#listenersOf(Object.getPrototypeOf(instance) as object | null)) {
      const shown = `${instance.constructor.name}.${name}`;
      if (!this.#modules.identities.some((identity) => identity.name === module)) {
        throw unknownModule(shown, module, this.#modules);
      }
      if (module !== this.#module.name) continue;
      const listener = (event: SessionEvent): unknown =>
        (instance as Record<string, (e: SessionEvent) => unknown>)[name]!(event);
      this.#events.all.subscribe((event) => {
        if (types.includes(event.type)) void this.#call(listener, event, shown);
      });
    }
  }

  #listenersOf(prototype: object | null): (Listening & { readonly name: string })[] {
    return this.#scanner
      .getAllMethodNames(prototype)
      .flatMap((name) => listeningsOf((prototype as Record<string, object>)[name]!).map((one) => ({ ...one, name })));
  }

  async #call(listener: (event: SessionEvent) => unknown, event: SessionEvent, name: string): Promise<void> {
    try {
      await listener(event);
    } catch (error) {
      this.#logger.error(
        `The listener ${name} failed on ${event.type}.`,
        error instanceof Error ? error.stack : undefined,
      );
    }
  }
}

function notStatic({ name }: Wrapper): OptionsError {
  return new OptionsError('@OnSessionEvent() requires a class with the default scope:', [
    `${String(name)} is request-scoped or transient. Move the method to a provider with the default scope.`,
  ]);
}

function unknownModule(name: string, module: Listening['module'], modules: InstalledModules): OptionsError {
  return new OptionsError('@OnSessionEvent() selects a module that does not exist:', [
    `${name} listens to ${shownModule(module)}. The modules of this application: ${modules.toString()}.`,
  ]);
}
