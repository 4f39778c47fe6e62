import { expect } from '@jest/globals';
import { InMemorySessionStorage } from 'nestjs-distributed-session';
import { FakeClock } from 'nestjs-distributed-session/testing';
import type { Answer } from './http-request.js';
import { type RunningService, SERVERS, startService } from './running-service.js';
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

/** What is compared of two answers beside their bodies. */
const HEADERS = ['content-type', 'cache-control', 'allow', 'retry-after', 'www-authenticate'];

/** A request of a client that may do everything: its line, its body, its headers. */
type Request = Parameters<ServiceClient>;

/**
 * The session service on every HTTP server, side by side, each with one session of `alice`: to see that they answer the
 * same, byte for byte but for the id of the request.
 */
export interface BothServers {
  /** The refusal of a request, after a look that both say the same and that nothing has changed. */
  refusalOf(...request: Request): Promise<Refusal>;
  /** The status that both answer with. */
  statusOf(...request: Request): Promise<number>;
  /** What both say in a header. */
  headerOf(name: string, ...request: Request): Promise<string | null>;
}

interface Running {
  readonly service: RunningService;
  readonly client: ServiceClient;
}

export async function startBothServers(variables: Readonly<Record<string, string>> = {}): Promise<BothServers> {
  const starting = SERVERS.map(async ([HTTP_ADAPTER]) => {
    const storage = new NumberedStorage({ clock: new FakeClock() });
    const service = await startService({ variables: { ...variables, HTTP_ADAPTER }, storage });
    await service.sessions.createSession('alice', undefined, { device: 'web', attributes: { role: 'customer' } });
    return { service, client: clientOf(service, await service.register('client', '*')) };
  });
  const running = await Promise.all(starting);
  return {
    refusalOf: (...request) => sameRefusal(running, request),
    statusOf: (...request) => sameOf(running, request, ({ status }) => status),
    headerOf: (name, ...request) => sameOf(running, request, ({ headers }) => headers.get(name)),
  };
}

async function sameRefusal(running: readonly Running[], [line, body, headers]: Request): Promise<Refusal> {
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
  const [first, ...others] = answers.map(shown);
  for (const other of others) expect(other).toEqual(first);
  return refusals[0]!;
}

async function sameOf<T>(running: readonly Running[], request: Request, pick: (answer: Answer) => T): Promise<T> {
  const answers = await Promise.all(running.map(({ client }) => client(...request)));
  const [first, ...others] = answers.map(pick);
  for (const other of others) expect(other).toBe(first);
  return first!;
}

function shown({ status, headers, text }: Answer): object {
  const body = text.replace(headers.get('x-request-id')!, '');
  return { status, body, headers: HEADERS.map((name) => [name, headers.get(name)]) };
}
