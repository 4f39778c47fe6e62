import { STATUS_CODES } from 'node:http';
import { expect } from '@jest/globals';
import type { Problem } from '../../src/http/problem.js';
import type { Answer } from './http-request.js';
import type { RunningService } from './running-service.js';
import { stateOf } from './service-state.js';

/** The specific part of a problem: its status, its code, and the fields that belong to the code. */
export type Refusal = Readonly<Record<string, unknown>>;

/** A problem lists at most this many errors. */
const MAX_ERRORS = 20;

/** A field value that stands for a secret. No refusal may repeat it. */
export const CANARY = 'canary-value';

/** Texts that no refusal may contain: sent values, stack frames, file names and internal names. */
const INTERNALS = /canary-value|\n\s+at |\bat \S+ \(|node_modules|file:|\.[cm]?[jt]s\b|\bundefined\b|\[object /;

/** The refusal of a caller without the permission. */
export const denied = (permission: string): Refusal => ({ status: 403, code: 'ERR_SERVICE_PERMISSION', permission });

/** Reads the problem in an answer, after checking what every problem must and must not contain. */
export function refusalIn({ status, headers, text, json }: Answer): Refusal {
  const { type, title, detail, requestId, errors = [], ...specific } = json as Problem;
  const listed = errors as readonly unknown[];
  expect(text).not.toMatch(INTERNALS);
  expect({ type, title, requestId, status: specific.status }).toEqual({
    type: `urn:problem-type:distributed-session:${specific.code}`,
    title: STATUS_CODES[status],
    requestId: headers.get('x-request-id'),
    status,
  });
  expect(detail).toMatch(/^\S[^\n]*[.?]$/);
  expect(headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
  expect(headers.get('cache-control')).toBe('no-store');
  if (listed.length > 0) expect(listed).toContainEqual({ field: specific['field'], message: expect.any(String) });
  expect(listed.length).toBeLessThanOrEqual(MAX_ERRORS);
  return specific;
}

/** Reads the problem that a request causes, after verifying that the request changed nothing. */
export async function refusalOf(service: RunningService, request: () => Promise<Answer>): Promise<Refusal> {
  const before = await stateOf(service);
  const refusal = refusalIn(await request());
  expect(await stateOf(service)).toEqual(before);
  return refusal;
}
