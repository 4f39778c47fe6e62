import assert from 'node:assert/strict';
import type { DistributedSessionErrorCode } from '../errors/distributed-session.error.js';

/** A payload as text, so that a `Buffer` and a plain `Uint8Array` of the same bytes compare as equal. */
export function textOf(payload: Uint8Array): string {
  return Buffer.from(payload).toString('utf8');
}

/** Asserts that a promise rejects with an error of this code, and returns that error. */
export async function rejectsWith(
  promise: Promise<unknown>,
  code: DistributedSessionErrorCode,
  fields: Readonly<Record<string, unknown>> = {},
): Promise<Error> {
  const error: unknown = await promise.then(
    () => assert.fail(`was to be rejected with ${code}`),
    (reason: unknown) => reason,
  );
  const actual = error as Record<string, unknown>;
  assert.equal(actual['code'], code, `rejected with ${String(actual['code'] ?? error)} instead of ${code}`);
  for (const [name, value] of Object.entries(fields)) assert.deepEqual(actual[name], value, `${name} of the error`);
  return error as Error;
}
