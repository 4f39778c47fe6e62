import { METHODS } from 'node:http';
import * as fc from 'fast-check';
import { bodyMutations } from './fuzz-body-mutations.js';
import { headerMutations, withHeader } from './fuzz-header-mutations.js';
import { type FuzzRequest, type Mutation, changed, placeOf } from './fuzz-request.js';
import { pathMutations, queryMutations } from './fuzz-target-mutations.js';

/** Callers that must not be authenticated. */
export const UNAUTHENTICATED_CALLERS = [
  'anonymous',
  'wrongSecret',
  'unknownService',
  'noBasic',
  'emptyBasic',
  'otherScheme',
  'userSession',
  'twice',
  'twoCarriers',
  'halfOfHeaders',
] as const;

/** `CONNECT` has no ordinary answer. */
const ANY_METHOD = METHODS.filter((method) => method !== 'CONNECT');
const SECRETS = ['secret.order', 'credential.live', 'token.live', 'credential.chosen'].map(placeOf);

/** A request after one or two mutations. Some mutated requests are still valid. */
export function mutated(valid: fc.Arbitrary<FuzzRequest>): fc.Arbitrary<FuzzRequest> {
  return fc
    .tuple(valid, fc.array(mutations, { minLength: 1, maxLength: 2 }))
    .map(([request, some]) => some.reduce(applied, request))
    .map(withAnswer);
}

/** Requests with a body are mutated mostly in their body. */
function applied(request: FuzzRequest, { isOfBody, ofBody, other }: SomeMutation): FuzzRequest {
  return isOfBody && request.body !== undefined ? ofBody(request) : other(request);
}

interface SomeMutation {
  readonly isOfBody: boolean;
  readonly ofBody: Mutation;
  readonly other: Mutation;
}

const others: fc.Arbitrary<Mutation> = fc.oneof(
  { arbitrary: bodyMutations, weight: 1 },
  { arbitrary: pathMutations, weight: 2 },
  { arbitrary: fc.constantFrom(...ANY_METHOD).map((method) => changed('method', () => ({ method }))), weight: 1 },
  { arbitrary: queryMutations, weight: 3 },
  { arbitrary: headerMutations, weight: 3 },
  {
    arbitrary: fc.constantFrom(...UNAUTHENTICATED_CALLERS).map((caller) => changed('caller', () => ({ caller }))),
    weight: 2,
  },
  { arbitrary: fc.tuple(fc.constantFrom(...SECRETS), fc.nat(5)).map(misplaced), weight: 1 },
);

const mutations: fc.Arbitrary<SomeMutation> = fc.record({
  isOfBody: fc.boolean(),
  ofBody: bodyMutations,
  other: others,
});

/** Puts a secret where it does not belong. */
function misplaced([secret, where]: [string, number]): Mutation {
  return changed('misplaced secret', ({ path, query, headers }) => {
    const places: Partial<FuzzRequest>[] = [
      { path: withSegment(path, 3, secret) },
      // Attribute keys are not secret.
      { path: withSegment(path, path.includes('/attributes/') ? 3 : Infinity, secret) },
      { query: `${query}${query && '&'}cursor=${secret}&lastEventId=${secret}&token=${secret}` },
      ...['if-match', 'last-event-id', 'idempotency-key'].map((name) => withHeader(headers, name, secret)),
    ];
    return places[where]!;
  });
}

function withSegment(path: string, index: number, segment: string): string {
  const segments = path.split('/');
  segments[Math.min(index, segments.length - 1)] = segment;
  return segments.join('/');
}

/** Malformed HTTP is answered with a body even for HEAD, because the parser does not know the method. */
function withAnswer(request: FuzzRequest): FuzzRequest {
  const isHttp = /^[\x21-\x7e]*$/.test(request.path);
  return request.method === 'HEAD' && !isHttp ? { ...request, method: 'GET' } : request;
}
