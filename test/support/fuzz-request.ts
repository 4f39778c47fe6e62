import * as fc from 'fast-check';
import { valuesOf } from './openapi-arbitraries.js';
import type { ApiOperation, ApiParameter, JsonSchema } from './openapi-operations.js';

/**
 * A generated request. It refers to values that exist only when it is sent, such as the id of a live session, by name:
 * `~~sessionId.live~~`. See `FuzzWorld.resolve()`.
 */
export interface FuzzRequest {
  /** The operation that it was generated for. */
  readonly operation: string;
  /** The applied mutations. A request without mutations is valid by its schema. */
  readonly changes: readonly string[];
  /** The name of the caller whose credential it carries. */
  readonly caller: string;
  readonly method: string;
  readonly path: string;
  /** The query as sent, without its question mark. */
  readonly query: string;
  readonly headers: Readonly<Record<string, string | string[]>>;
  readonly body?: string;
}

/** The names of a world's values, by the parameter or field that they fit. */
const KNOWN: Readonly<Record<string, readonly string[]>> = {
  sessionId: [
    'sessionId.live',
    'sessionId.live',
    'sessionId.live',
    'sessionId.live',
    'sessionId.other',
    'sessionId.rotated',
    'sessionId.ended',
    'sessionId.expired',
  ],
  except: ['sessionId.live', 'sessionId.rotated', 'sessionId.other'],
  credential: ['credential.live', 'credential.chosen', 'credential.rotated', 'credential.ended', 'credential.wrong'],
  loginId: ['loginId.busy', 'loginId.busy', 'loginId.quiet'],
  serviceId: ['serviceId.order', 'serviceId.order', 'serviceId.pay'],
  keyId: ['keyId.order', 'keyId.pay'],
  secret: ['secret.order', 'secret.pay', 'secret.wrong'],
  cursor: ['cursor.sessions', 'cursor.logins'],
  'If-Match': ['etag.current', 'etag.current', 'etag.current', 'etag.other'],
  'Last-Event-ID': ['eventId.last', 'eventId.foreign'],
  lastEventId: ['eventId.last', 'eventId.foreign'],
  'Idempotency-Key': ['idempotencyKey.a', 'idempotencyKey.b'],
};

/** Values that are the same in every world. */
const FIXED: Readonly<Record<string, readonly string[]>> = {
  key: ['role', 'order.total', '__proto__'],
  device: ['web'],
  permissions: ['session.read', 'session.write:order.*', 'session.*', '*', 'order.refund'],
};

export function placeOf(name: string): string {
  return `~~${name}~~`;
}

export type Mutation = (request: FuzzRequest) => FuzzRequest;

/** A named mutation. */
export function changed(what: string, to: (request: FuzzRequest) => Partial<FuzzRequest>): Mutation {
  return (request) => ({ ...request, ...to(request), changes: [...request.changes, what] });
}

function known(name: string): readonly string[] {
  return FIXED[name] ?? (KNOWN[name] ?? []).map(placeOf);
}

/** Requests that are valid by the schema of an operation, from authenticated callers. */
export function validRequests(operation: ApiOperation): fc.Arbitrary<FuzzRequest> {
  const { operationId, method, path, body, parameters } = operation;
  const inside = (where: ApiParameter['in']) => parametersOf(parameters.filter((one) => one.in === where));
  return fc
    .record({
      caller: fc.oneof({ arbitrary: fc.constant('everything'), weight: 5 }, fc.constant('limited')),
      isHead: fc.nat(9).map((n) => n === 0 && method === 'GET'),
      path: inside('path'),
      query: inside('query'),
      headers: inside('header'),
      body: body ? valuesOf(body.schema, known) : fc.constant(undefined),
    })
    .filter((made) => Object.values(made.path).every((value) => isInUrl(value) && value !== ''))
    .filter((made) => Object.values(made.query).every(isInUrl))
    .map((made) => ({
      operation: operationId,
      changes: [],
      caller: made.caller,
      method: made.isHead ? 'HEAD' : method,
      path: path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(made.path[name]))),
      query: Object.entries(made.query)
        .map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`)
        .join('&'),
      headers: made.headers as Record<string, string>,
      ...(body && { body: JSON.stringify(made.body) }),
    }));
}

function parametersOf(parameters: readonly ApiParameter[]): fc.Arbitrary<Record<string, unknown>> {
  const values = parameters.map(({ name, schema, in: where }) => {
    // Path parameters are not empty, and headers are Latin-1.
    const bounded = where === 'path' ? { minLength: 1, ...schema } : schema;
    const made = namedValuesOf(name, bounded);
    return [name, where === 'header' ? made.filter((value) => isInHeader(String(value))) : made] as const;
  });
  const requiredKeys = parameters.filter(({ required }) => required).map(({ name }) => name);
  return fc.record(Object.fromEntries(values), { requiredKeys });
}

/** Values of a parameter, which has known values by name like a field of a body. */
function namedValuesOf(name: string, schema: JsonSchema): fc.Arbitrary<unknown> {
  const fields = { type: 'object', properties: { [name]: schema }, required: [name] };
  return valuesOf(fields, known).map((made) => (made as Record<string, unknown>)[name]);
}

function isInUrl(value: unknown): boolean {
  return String(value).isWellFormed();
}

export function isInHeader(value: string): boolean {
  return /^[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?$/.test(value);
}
