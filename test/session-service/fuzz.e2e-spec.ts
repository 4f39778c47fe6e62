import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { InMemorySessionStorage } from 'nestjs-distributed-session';
import { FakeClock } from 'nestjs-distributed-session/testing';
import { openApiDocument } from '../../src/openapi/openapi-document.js';
import { AnswerContract } from '../support/answer-contract.js';
import { outcomeOf } from '../support/fuzz-exchange.js';
import { mutated } from '../support/fuzz-mutation.js';
import { type FuzzRequest, validRequests } from '../support/fuzz-request.js';
import { type FuzzCallers, FuzzWorld, registerCallers } from '../support/fuzz-world.js';
import { type RunningService, SERVERS, startService, stopServices } from '../support/running-service.js';

/** Each run is a few requests, one after the other, in a world of its own. */
const RUNS = 80;
const MAX_REQUESTS = 6;
const TIME_LIMIT_MS = 90_000;

describe.each(SERVERS)('the API of the session service, by its own OpenAPI document, on %s', (HTTP_ADAPTER) => {
  const clock = new FakeClock();
  let service: RunningService;
  let callers: FuzzCallers;
  let contract: AnswerContract;
  let valid: fc.Arbitrary<FuzzRequest>;
  let unhandled: unknown[];
  const note = (error: unknown) => void unhandled.push(error);

  beforeAll(async () => {
    service = await startService({ variables: { HTTP_ADAPTER }, storage: new InMemorySessionStorage({ clock }) });
    callers = await registerCallers(service);
    contract = new AnswerContract(openApiDocument(service.app));
    // A body has more to be wrong than anything else.
    const weighed = contract.operations.map((operation) => {
      return { arbitrary: validRequests(operation), weight: operation.body ? 2 : 1 };
    });
    valid = fc.oneof(...weighed);
  });

  afterAll(stopServices);

  beforeEach(() => {
    process.on('uncaughtException', note).on('unhandledRejection', note);
  });

  afterEach(() => {
    process.off('uncaughtException', note).off('unhandledRejection', note);
  });

  it('takes what is valid by the schema, answers as documented, and tells each secret once', async () => {
    const { taken } = await hold(valid);
    expect(taken.size).toBeGreaterThan(contract.operations.length / 2);
  }, 180_000);

  it('refuses what is not, in words that are documented, and changes nothing', async () => {
    const { refused } = await hold(mutated(valid));
    expect(refused.size).toBeGreaterThan(contract.operations.length / 2);
  }, 180_000);

  /** Sends such requests. Returns of which operations some were taken, and some refused. */
  async function hold(request: fc.Arbitrary<FuzzRequest>): Promise<Record<'taken' | 'refused', Set<string>>> {
    const seen = { taken: new Set<string>(), refused: new Set<string>() };
    const requests = fc.array(request, { minLength: 1, maxLength: MAX_REQUESTS });
    await fc.assert(
      fc.asyncProperty(requests, async (some) => {
        unhandled = [];
        const world = await FuzzWorld.begin(service, clock, callers);
        for (const one of some) {
          const { status, faults } = await outcomeOf(one, world, contract, service);
          expect(faults).toEqual([]);
          seen[status < 400 ? 'taken' : 'refused'].add(one.operation);
        }
        expect(unhandled).toEqual([]);
      }),
      // A service that hangs is to be found in time, however long its counterexample.
      { numRuns: RUNS, interruptAfterTimeLimit: TIME_LIMIT_MS },
    );
    return seen;
  }
});
