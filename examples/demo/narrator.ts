import type { ServiceName } from '../registrations.js';
import { type Expected, describeAnswer, matches } from './expected-answer.js';
import { FailedStepError } from './failed-step.error.js';

const REQUEST_TIMEOUT_MS = 10_000;

/** Something that sends requests: a device of the user, with the credential of its session once it is logged in. */
export interface Caller {
  readonly name: string;
  readonly credential?: string;
}

export interface StoryRequest {
  readonly from: Caller;
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly to: ServiceName;
  readonly path: string;
  /** The path as the transcript shows it, where the path itself differs from run to run. */
  readonly shownPath?: string;
  readonly body?: object;
}

/** Sends the requests of a story over HTTP, checks each answer, and tells both. */
export class Narrator {
  #step = 0;

  constructor(
    private readonly urls: Readonly<Record<ServiceName, string>>,
    private readonly print: (line: string) => void,
    private readonly signal: AbortSignal,
  ) {}

  /** Begins a step, with what happens in it. */
  step(sentence: string): void {
    this.#step++;
    this.print(`\n${this.#step}. ${sentence}`);
  }

  /** Sends a request and returns the body of the answer; throws {@link FailedStepError} if it is not as expected. */
  async ask(request: StoryRequest, status: number, body: Expected): Promise<unknown> {
    const expected = `${status} ${describeAnswer(body)}`;
    const answer = await this.#send(request).catch((error: unknown) => {
      this.signal.throwIfAborted();
      throw this.#failed(request, `nothing (${String((error as Error).cause ?? error)})`, expected);
    });
    if (answer.status !== status || !matches(answer.body, body)) {
      throw this.#failed(request, `${answer.status} ${describeAnswer(answer.body)}`, expected);
    }
    this.#tell(request, status, body);
    return answer.body;
  }

  /** One line for the request and what of the answer matters; one more for each entry of a list. */
  #tell({ from, method, to, path, shownPath = path }: StoryRequest, status: number, body: Expected): void {
    const columns = [from.name.padEnd(8), method.padEnd(6), to.padEnd(5), shownPath.padEnd(18), status];
    const entries = Array.isArray(body) ? body.map(describeAnswer) : [];
    const rest = Array.isArray(body) ? [] : [describeAnswer(body)];
    this.print(`   ${[...columns, ...rest].join(' ')}`);
    for (const entry of entries) this.print(`${' '.repeat(12)}${entry}`);
  }

  async #send({ from, method, to, path, body }: StoryRequest): Promise<{ status: number; body: unknown }> {
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

  #failed({ from, method, to, path }: StoryRequest, answered: string, expected: string): FailedStepError {
    return new FailedStepError(this.#step, `${from.name}: ${method} ${to} ${path}`, answered, expected);
  }
}

/** What a body holds: JSON, as all three answer, or the text of something else that stands where they should. */
function parsed(body: string): unknown {
  try {
    return JSON.parse(body) as unknown;
  } catch {
    return body;
  }
}
