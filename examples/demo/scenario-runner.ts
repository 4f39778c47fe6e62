import type { ServiceName } from '../registrations.js';
import { type Expected, describeResponse, matches } from './expected-response.js';

const REQUEST_TIMEOUT_MS = 10_000;

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
