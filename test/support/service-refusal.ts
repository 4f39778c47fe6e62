import { STATUS_CODES } from 'node:http';
import { expect } from '@jest/globals';
import type { Problem } from '../../src/http/problem.js';
import type { Answer } from './http-request.js';
import type { RunningService } from './running-service.js';
import { stateOf } from './service-state.js';

/** What is told of a refusal beside what every problem has: its status, its code, and the fields of the code. */
export type Refusal = Readonly<Record<string, unknown>>;

/** However much is wrong, no more faults are told. */
const MAX_FAULTS = 20;

/** A value of a field that stands for a secret: no refusal repeats it. */
export const CANARY = 'canary-value';

/** What no refusal shows: values that were sent, frames of a stack, files, and the names of what is inside. */
const INSIDES = /canary-value|\n\s+at |\bat \S+ \(|node_modules|file:|\.[cm]?[jt]s\b|\bundefined\b|\[object /;

/** Reads the problem that an answer tells of, after a check of what every problem must have and must not show. */
export function refusalIn({ status, headers, text, json }: Answer): Refusal {
  const { type, title, detail, requestId, errors = [], ...told } = json as Problem;
  const faults = errors as readonly unknown[];
  expect(text).not.toMatch(INSIDES);
  expect({ type, title, requestId, status: told.status }).toEqual({
    type: `urn:problem-type:distributed-session:${told.code}`,
    title: STATUS_CODES[status],
    requestId: headers.get('x-request-id'),
    status,
  });
  expect(detail).toMatch(/^\S[^\n]*\.$/);
  expect(headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
  expect(headers.get('cache-control')).toBe('no-store');
  if (faults.length > 0) expect(faults).toContainEqual({ field: told['field'], message: expect.any(String) });
  expect(faults.length).toBeLessThanOrEqual(MAX_FAULTS);
  return told;
}

/** Reads the problem of a request, after a look that the request has changed nothing. */
export async function refusalOf(service: RunningService, request: () => Promise<Answer>): Promise<Refusal> {
  const before = await stateOf(service);
  const refusal = refusalIn(await request());
  expect(await stateOf(service)).toEqual(before);
  return refusal;
}
