import { expect } from '@jest/globals';
import type { RecordingLogger } from './recording-logger.js';

/** What a client receives for a call over a transport that the guards cannot judge. */
export function refusalOver(transport: string): object {
  return {
    status: 'error',
    code: 'ERR_TRANSPORT_NOT_SUPPORTED',
    message: `Sessions and services are authenticated over HTTP only. A call over "${transport}" is refused.`,
    transport,
  };
}

/** Expects one line per handler that was refused, however often, and nothing about an internal error. */
export function expectRefusalsLogged(logger: RecordingLogger, refusals: readonly string[], transport: string): void {
  const expected = refusals.map((refusal) => `warn ${refusal} over "${transport}": it can only judge HTTP requests.`);
  expect(logger.with(' refused a call of ')).toEqual(expected);
  expect(logger.lines.filter((line) => line.startsWith('error'))).toEqual([]);
}
