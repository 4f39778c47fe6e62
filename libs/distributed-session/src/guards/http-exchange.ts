import type { IncomingMessage, ServerResponse } from 'node:http';
import { RequestHeaderError } from '../errors/request.errors.js';

/** An Express request is the Node request itself; a Fastify request has it as `raw`. */
export type AdapterRequest = (IncomingMessage | { readonly raw: IncomingMessage }) & { readonly ip?: string };

/** An Express response is the Node response itself; a Fastify reply has it as `raw`. */
export type AdapterResponse = ServerResponse | { readonly raw: ServerResponse };

/** Node's limit where `server.maxHeadersCount` is not set. */
const DEFAULT_HEADER_LIMIT = 1_000;

/** A request over HTTP and its response. With `guarded-request.ts`, the only file that knows transports and adapters. */
export class HttpExchange {
  readonly source: string | undefined;
  readonly #headers: readonly (readonly [string, string])[];
  readonly #response: ServerResponse;

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
