import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import type { DistributedSessionErrorCode } from '../errors/distributed-session.error.js';

/** Only a condition that never holds fails; one that takes long on a busy machine does not. */
const PATIENCE_MS = 30_000;

/** A payload as text, so that a `Buffer` and a plain `Uint8Array` with the same bytes compare as equal. */
export function textOf(payload: Uint8Array): string {
  return Buffer.from(payload).toString('utf8');
}

/** Asserts that a promise rejects with an error of this code and these fields, and returns that error. */
export async function rejectsWith(
  promise: Promise<unknown>,
  code: DistributedSessionErrorCode,
  fields: Readonly<Record<string, unknown>> = {},
): Promise<Error> {
  const error: unknown = await promise.then(
    () => assert.fail(`resolved instead of rejecting with ${code}`),
    (reason: unknown) => reason,
  );
  const actual = error as Record<string, unknown>;
  assert.equal(actual['code'], code, `rejected with ${String(actual['code'] ?? error)} instead of ${code}`);
  for (const [name, value] of Object.entries(fields)) assert.deepEqual(actual[name], value, `${name} of the error`);
  return error as Error;
}

/** Waits until a condition holds, and fails with `what` it waited for if it never does. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what = 'the awaited condition',
): Promise<void> {
  const end = Date.now() + PATIENCE_MS;
  while (!(await condition())) {
    assert(Date.now() < end, `waited ${PATIENCE_MS} ms for ${what}`);
    await delay(5);
  }
}
