import { expect } from '@jest/globals';
import { InMemorySessionStorage } from 'nestjs-distributed-session';
import { FakeClock } from 'nestjs-distributed-session/testing';
import type { Answer } from './http-request.js';
import { type HttpServerName, type RunningService, SERVERS, startService } from './running-service.js';
import { type ServiceClient, clientOf } from './service-client.js';
import { type Refusal, refusalOf } from './service-refusal.js';

/** A storage whose session ids are the same in each run: {@link sessionIdOf} 1, 2, 3 and so on. */
class NumberedStorage extends InMemorySessionStorage {
  #created = 0;

  override nextSessionId(): string {
    return sessionIdOf(++this.#created);
  }
}

export function sessionIdOf(number: number): string {
  return `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;
}

const PARAMETERS: Readonly<Record<string, string>> = {
  sessionId: sessionIdOf(1),
  loginId: 'alice',
  serviceId: 'client',
};

/** The request line of an operation, with a session, a user and a service that every compared server has. */
export function lineOf({ method, path }: { readonly method: string; readonly path: string }): string {
  return `${method} ${path.replaceAll(/\{(\w+)\}/g, (_, name: string) => PARAMETERS[name] ?? 'role')}`;
}

/** The headers to compare. */
const HEADERS = ['content-type', 'cache-control', 'allow', 'etag', 'location', 'retry-after', 'www-authenticate'];

/** The arguments of a {@link ServiceClient}: request line, body, headers. */
type Request = Parameters<ServiceClient>;

/**
 * The session service on several HTTP servers. Each has one session of the user `alice`, and a client with every
 * permission. All must give the same answer to a request, byte for byte except for the request id.
 */
export interface ComparedServers {
  readonly services: readonly RunningService[];
  /** The common answer. */
  answerOf(...request: Request): Promise<Answer>;
  /** The common refusal, after verifying that the request changed nothing. */
  refusalOf(...request: Request): Promise<Refusal>;
  /** The common status. */
  statusOf(...request: Request): Promise<number>;
  /** The common value of a response header. */
  headerOf(name: string, ...request: Request): Promise<string | null>;
}

interface Running {
  readonly service: RunningService;
  readonly client: ServiceClient;
}

/** Starts the service on each of these servers. Default: the servers of this tier. */
export async function startComparedServers(
  variables: Readonly<Record<string, string>> = {},
  servers: readonly (readonly [HttpServerName])[] = SERVERS,
): Promise<ComparedServers> {
  const starting = servers.map(async ([HTTP_ADAPTER]) => {
    const storage = new NumberedStorage({ clock: new FakeClock() });
    const service = await startService({ variables: { ...variables, HTTP_ADAPTER }, storage });
    await service.sessions.createSession('alice', undefined, { device: 'web', attributes: { role: 'customer' } });
    return { service, client: clientOf(service, await service.register('client', '*')) };
  });
  const running = await Promise.all(starting);
  return {
    services: running.map(({ service }) => service),
    answerOf: (...request) => commonAnswer(running, request),
    refusalOf: (...request) => commonRefusal(running, request),
    statusOf: (...request) => common(running, request, ({ status }) => status),
    headerOf: (name, ...request) => common(running, request, ({ headers }) => headers.get(name)),
  };
}

async function commonAnswer(running: readonly Running[], request: Request): Promise<Answer> {
  const answers: Answer[] = [];
  for (const { client } of running) answers.push(await client(...request));
  expectSame(answers);
  return answers[0]!;
}

async function commonRefusal(running: readonly Running[], [line, body, headers]: Request): Promise<Refusal> {
  const answers: Answer[] = [];
  const refusals: Refusal[] = [];
  for (const { service, client } of running) {
    const refusal = await refusalOf(service, async () => {
      const answer = await client(line, body, headers);
      answers.push(answer);
      return answer;
    });
    refusals.push(refusal);
  }
  expectSame(answers);
  return refusals[0]!;
}

async function common<T>(running: readonly Running[], request: Request, pick: (answer: Answer) => T): Promise<T> {
  const answers = await Promise.all(running.map(({ client }) => client(...request)));
  const [first, ...others] = answers.map(pick);
  for (const other of others) expect(other).toBe(first);
  return first!;
}

function expectSame(answers: readonly Answer[]): void {
  const [first, ...others] = answers.map(comparable);
  for (const other of others) expect(other).toEqual(first);
}

function comparable({ status, headers, text }: Answer): object {
  const body = text.replace(headers.get('x-request-id')!, '');
  return { status, body, headers: HEADERS.map((name) => [name, headers.get(name)]) };
}
