import { inspect } from 'node:util';
import type { ServiceName } from '../services.js';

const REQUEST_TIMEOUT_MS = 10_000;
/** Fields whose values authenticate a user or a service. */
const SECRET_FIELDS = ['credential', 'token', 'secret'];

/** Matches any non-empty text, which is never printed. */
export const HIDDEN = Symbol('…');

/** The expected content of a response. Fields that are not named here are ignored. */
export type Expected =
  null | boolean | number | string | typeof HIDDEN | readonly Expected[] | { readonly [field: string]: Expected };

/** A sender of requests: a device of the user, with its session's credential once it is logged in. */
export interface Sender {
  readonly name: string;
  readonly credential?: string;
}

export interface ScenarioRequest {
  readonly from: Sender;
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly to: ServiceName;
  readonly path: string;
  /** The path as the transcript shows it, if the path itself differs from run to run. */
  readonly shownPath?: string;
  readonly body?: object;
}

/** A service did not respond as expected. */
class FailedStepError extends Error {
  constructor(step: number, request: string, received: string, expected: string) {
    super(`Step ${step} failed: ${request}\n  received: ${received}\n  expected: ${expected}`);
    this.name = FailedStepError.name;
  }
}

/** Sends a scenario's requests over HTTP, checks each response, and prints both. */
export class ScenarioRunner {
  #step = 0;

  constructor(
    private readonly urls: Readonly<Record<ServiceName, string>>,
    private readonly print: (line: string) => void,
    private readonly signal: AbortSignal,
  ) {}

  /** Begins a step and prints its description. */
  step(sentence: string): void {
    this.#step++;
    this.print(`\n${this.#step}. ${sentence}`);
  }

  /** Sends a request and returns the response body; throws if the response is not as expected. */
  async send(request: ScenarioRequest, status: number, body: Expected): Promise<unknown> {
    const expected = `${status} ${describeResponse(body)}`;
    const response = await this.#fetch(request).catch((error: unknown) => {
      this.signal.throwIfAborted();
      throw this.#failed(request, `nothing (${String((error as Error).cause ?? error)})`, expected);
    });
    if (response.status !== status || !matches(response.body, body)) {
      throw this.#failed(request, `${response.status} ${describeResponse(response.body)}`, expected);
    }
    this.#print(request, status, body);
    return response.body;
  }

  /** Prints one line for the request and the expected fields, and one more per entry of a list. */
  #print({ from, method, to, path, shownPath = path }: ScenarioRequest, status: number, body: Expected): void {
    const columns = [from.name.padEnd(8), method.padEnd(6), to.padEnd(5), shownPath.padEnd(18), status];
    const entries = Array.isArray(body) ? body.map(describeResponse) : [];
    const rest = Array.isArray(body) ? [] : [describeResponse(body)];
    this.print(`   ${[...columns, ...rest].join(' ')}`);
    for (const entry of entries) this.print(`${' '.repeat(12)}${entry}`);
  }

  async #fetch({ from, method, to, path, body }: ScenarioRequest): Promise<{ status: number; body: unknown }> {
    const response = await fetch(this.urls[to] + path, {
      method,
      headers: {
        ...(from.credential !== undefined && { authorization: `Bearer ${from.credential}` }),
        ...(body && { 'content-type': 'application/json' }),
      },
      body: body && JSON.stringify(body),
      signal: AbortSignal.any([this.signal, AbortSignal.timeout(REQUEST_TIMEOUT_MS)]),
    });
    return { status: response.status, body: parsed(await response.text()) };
  }

  #failed({ from, method, to, path }: ScenarioRequest, received: string, expected: string): FailedStepError {
    return new FailedStepError(this.#step, `${from.name}: ${method} ${to} ${path}`, received, expected);
  }
}

/** A body as JSON, or its text if it is not JSON. */
function parsed(body: string): unknown {
  try {
    return JSON.parse(body) as unknown;
  } catch {
    return body;
  }
}

/** Whether a response contains everything expected. A list must have as many entries, in any order. */
function matches(actual: unknown, expected: Expected): boolean {
  if (expected === HIDDEN) return typeof actual === 'string' && actual !== '';
  if (typeof expected !== 'object' || expected === null) return actual === expected;
  if (isList(expected)) {
    return Array.isArray(actual) && actual.length === expected.length && matchesEach(actual, expected);
  }
  if (typeof actual !== 'object' || actual === null) return false;
  const fields = actual as Readonly<Record<string, unknown>>;
  return Object.entries(expected).every(([name, value]) => matches(fields[name], value));
}

/** Whether each expected entry matches a different actual entry. */
function matchesEach(actual: readonly unknown[], expected: readonly Expected[]): boolean {
  const left = [...actual];
  return expected.every((entry) => {
    const index = left.findIndex((candidate) => matches(candidate, entry));
    return index >= 0 && left.splice(index, 1).length === 1;
  });
}

/** A response, or an expectation, on one line and without secrets. */
export function describeResponse(response: unknown): string {
  return inspect(redacted(response), { depth: 6, breakLength: Infinity, compact: true }).replaceAll("'…'", '…');
}

function redacted(value: unknown): unknown {
  if (value === HIDDEN) return '…';
  if (Array.isArray(value)) return value.map(redacted);
  if (typeof value !== 'object' || value === null) return value;
  const fields = Object.entries(value);
  return Object.fromEntries(fields.map(([name, held]) => [name, SECRET_FIELDS.includes(name) ? '…' : redacted(held)]));
}

function isList(expected: Expected & object): expected is readonly Expected[] {
  return Array.isArray(expected);
}
