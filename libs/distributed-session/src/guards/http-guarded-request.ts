import type { Session } from '../model/session.js';
import { ServiceAccess } from '../service/service-access.js';
import type { ServiceCredential } from '../service/service-credential.js';
import type { GuardedRequest } from './guarded-request.js';
import type { HttpExchange } from './http-exchange.js';

/** A request over HTTP, with the service and the session of one module. */
export class HttpGuardedRequest implements GuardedRequest {
  readonly source: string | undefined;
  /** Whether the request presented a session's credential, whatever became of it. */
  presentsSession = false;
  readonly #exchange: HttpExchange;
  readonly #assigned = new Set<'service' | 'session'>();
  #service: ServiceCredential | undefined;
  #session: Session | undefined;
  /** The session as `#service` sees it, once it was computed. */
  #seen: Session | undefined;

  constructor(exchange: HttpExchange) {
    this.#exchange = exchange;
    this.source = exchange.source;
  }

  headerValues(name: string): readonly string[] {
    return this.#exchange.headerValues(name);
  }

  setResponseHeader(name: string, value: string): void {
    this.#exchange.setResponseHeader(name, value);
  }

  preventSharedCaching(): void {
    this.#exchange.preventSharedCaching();
  }

  get service(): ServiceCredential | undefined {
    return this.#service;
  }

  set service(service: ServiceCredential | undefined) {
    this.#assigned.add('service');
    if (service !== this.#service) this.#seen = undefined;
    this.#service = service;
  }

  get session(): Session | undefined {
    return this.#session && (this.#seen ??= seenBy(this.#service, this.#session));
  }

  set session(session: Session | undefined) {
    this.#assigned.add('session');
    this.#seen = undefined;
    this.#session = session;
  }

  /** Assigns a session that was read on behalf of `service`, so that it is not reduced again. */
  assignSeen(session: Session): void {
    this.session = session;
    this.#seen = session;
  }

  /** Returns whether a guard assigned the service or the session, or stated that there is none. */
  isAssigned(part: 'service' | 'session'): boolean {
    return this.#assigned.has(part);
  }

  /**
   * Requires `session.read` of the service if the request presents a session, as if the service had been known first.
   *
   * @throws {ServicePermissionError} otherwise.
   */
  assertMayReadSession(): void {
    if (this.#service && (this.presentsSession || this.#session)) accessOf(this.#service)?.requireRead();
  }
}

function seenBy(service: ServiceCredential | undefined, session: Session): Session {
  const access = service && accessOf(service);
  if (!access) return session;
  access.requireRead();
  const attributes = access.visible(session.attributes);
  return attributes === session.attributes ? session : Object.freeze({ ...session, attributes });
}

/** Returns `undefined` for a test's stub without permissions, which restricts nothing. Guards assign verified services. */
function accessOf(service: ServiceCredential): ServiceAccess | undefined {
  const { permissions } = service as Partial<ServiceCredential>;
  return permissions && ServiceAccess.unrestricted(service.serviceId).narrowedTo(service);
}
