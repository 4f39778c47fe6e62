import { type ExecutionContext, Logger } from '@nestjs/common';
import type { Reflector } from '@nestjs/core';
import { unsupportedTransport } from './unsupported-transport.js';

/** A caller that is refused can try again without end. */
const LOG_INTERVAL_MS = 60_000;

interface LoggedHandler {
  readonly loggedAt: number;
  unlogged: number;
}

/** The refusals of one application, in its log: one line per handler and minute. */
class TransportRefusals {
  readonly #logger = new Logger('DistributedSessionModule');
  /** By class and method: classes may inherit a method from each other. */
  readonly #classes = new WeakMap<object, Map<object, LoggedHandler>>();

  log(guard: string, context: ExecutionContext): void {
    const [type, handler] = [context.getClass(), context.getHandler()];
    const handlers = this.#classes.get(type) ?? new Map<object, LoggedHandler>();
    this.#classes.set(type, handlers);
    const logged = handlers.get(handler);
    const now = performance.now();
    if (logged && now - logged.loggedAt < LOG_INTERVAL_MS) {
      logged.unlogged++;
      return;
    }
    handlers.set(handler, { loggedAt: now, unlogged: 0 });
    const others = logged?.unlogged ? ` ${logged.unlogged} others were refused since the last line.` : '';
    this.#logger.warn(
      `${guard} refused a call of ${type.name}.${handler.name} over "${context.getType()}": it can only ` +
        `judge HTTP requests.${others}`,
    );
  }
}

/** Nest has one `Reflector` per application. Guards may be created for each request. */
const refusalsOf = new WeakMap<Reflector, TransportRefusals>();

/**
 * Logs that a guard refuses a call that is not over HTTP.
 *
 * @throws the exception in the form of the transport.
 */
export async function refuseTransport(guard: object, reflector: Reflector, context: ExecutionContext): Promise<never> {
  const refusals = refusalsOf.get(reflector) ?? new TransportRefusals();
  refusalsOf.set(reflector, refusals);
  refusals.log(guard.constructor.name, context);
  throw await unsupportedTransport(context);
}
