import type { IncomingMessage, ServerResponse } from 'node:http';
import { RequestHeaderError } from '../errors/request.errors.js';
import type { Session } from '../model/session.js';
import { ServiceAccess } from '../service/service-access.js';
import type { ServiceCredential } from '../service/service-credential.js';
import type { GuardedRequest } from './guarded-request.js';

/** An Express request is the Node request itself; a Fastify request has it as `raw`. */
export type AdapterRequest = (IncomingMessage | { readonly raw: IncomingMessage }) & { readonly ip?: string };

/** An Express response is the Node response itself; a Fastify reply has it as `raw`. */
export type AdapterResponse = ServerResponse | { readonly raw: ServerResponse };

/** Node's limit where `server.maxHeadersCount` is not set. */
const DEFAULT_HEADER_LIMIT = 1_000;

/** A request over HTTP. With `guarded-request.ts`, the only file that knows the transports and the adapters. */
export class HttpGuardedRequest implements GuardedRequest {
  readonly source: string | undefined;
  /** Whether the request presented a session's credential, whatever became of it. */
  presentsSession = false;
  readonly #headers: readonly (readonly [string, string])[];
  readonly #response: ServerResponse;
  readonly #assigned = new Set<'service' | 'session'>();
  #service: ServiceCredential | undefined;
  #session: Session | undefined;
  /** The session as `#service` sees it, once it was computed. */
  #seen: Session | undefined;

  /** @throws {RequestHeaderError} if the headers are incomplete, or name several hosts. */
  constructor(request: AdapterRequest, response: AdapterResponse) {
    const message = 'raw' in request ? request.raw : request;
    this.source = request.ip;
    this.#headers = headersOf(message);
    this.#response = 'raw' in response ? response.raw : response;
    this.#assertJudgeable(message);
  }

  headerValues(name: string): readonly string[] {
    return this.#headers.filter(([given]) => given === name.toLowerCase()).map(([, value]) => value);
  }

  /** Sets it on Node's response: a Fastify reply's header would replace the one that a handler set there. */
  setResponseHeader(name: string, value: string): void {
    this.#response.setHeader(name, value);
  }

  /** Keeps the response out of caches (RFC 9111), unless the handler sets something else. */
  preventSharedCaching(): void {
    this.setResponseHeader('Cache-Control', 'private, no-store');
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

  /**
   * Node drops headers beyond a limit without an error: what is missing may be the proxy's `X-Forwarded-For` or a second
   * `Authorization`. The raw headers end at the limit, or in the first block of headers that exceeds it.
   */
  #assertJudgeable({ rawHeaders = [], socket }: Partial<IncomingMessage>): void {
    const { server } = (socket ?? {}) as { readonly server?: { readonly maxHeadersCount?: number | null } };
    const limit = server?.maxHeadersCount ?? DEFAULT_HEADER_LIMIT;
    const hasTooMany = limit > 0 && rawHeaders.length >= 2 * limit;
    if (!hasTooMany && this.headerValues('host').length <= 1) return;
    this.preventSharedCaching();
    if (!hasTooMany) throw new RequestHeaderError('Host was sent more than once. Send it once.');
    throw new RequestHeaderError(`The request has ${limit} or more headers, and the server may drop some.`, limit);
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

/**
 * Returns lower-case names and values. Raw headers come first, because the parsed headers contain only the first of
 * several `Authorization` headers. Requests from serverless adapters have only parsed headers.
 */
function headersOf({ rawHeaders = [], headers }: Partial<IncomingMessage>): readonly (readonly [string, string])[] {
  const pairs = rawHeaders.flatMap((name, index) => (index % 2 === 0 ? [[name, rawHeaders[index + 1]!] as const] : []));
  const parsed = Object.entries(headers ?? {}).flatMap(([name, value = []]) =>
    [value].flat().map((one) => [name, one] as const),
  );
  return (pairs.length > 0 ? pairs : parsed).map(([name, value]) => [name.toLowerCase(), value]);
}
