import { setImmediate } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { InMemorySessionStorage } from 'nestjs-distributed-session';
import type { StoredSession } from 'nestjs-distributed-session/storage';
import { FakeClock } from 'nestjs-distributed-session/testing';
import { openApiDocument } from '../../src/openapi/openapi-document.js';
import { AnswerContract } from '../support/answer-contract.js';
import { outcomeOf } from '../support/fuzz-exchange.js';
import { mutated } from '../support/fuzz-mutation.js';
import { type FuzzRequest, validRequests } from '../support/fuzz-request.js';
import { type FuzzCallers, FuzzWorld, registerCallers } from '../support/fuzz-world.js';
import { type RunningService, SERVERS, startService, stopServices } from '../support/running-service.js';
import { type ServiceClient, clientOf } from '../support/service-client.js';
import { sessionCommands } from '../support/session-commands.js';
import { SessionModel } from '../support/session-model.js';

/** Each run sends a few requests in its own world. */
const RUNS = 80;
const MAX_REQUESTS = 6;
const TIME_LIMIT_MS = 90_000;
const MODEL_RUNS = 25;
const LIMITS = { perLogin: 3, graceMs: 10_000 };
/** Turns of the event loop. */
const READ_DELAY = 10;

/** A storage whose reads take some time, so that concurrent requests overlap. */
class SlowStorage extends InMemorySessionStorage {
  override async get(sessionId: string): Promise<StoredSession | undefined> {
    const stored = await super.get(sessionId);
    for (let turn = 0; turn < READ_DELAY; turn++) await setImmediate();
    return stored;
  }
}

describe.each(SERVERS)('On %s, the session service', (HTTP_ADAPTER) => {
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
    // Bodies can be wrong in more ways than anything else.
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

  it('accepts generated requests that fit its OpenAPI document, answers as documented, and returns each secret once', async () => {
    const { accepted } = await sendAll(valid);
    expect(accepted.size).toBeGreaterThan(contract.operations.length / 2);
  }, 180_000);

  it('rejects mutated requests with documented problems, and changes nothing', async () => {
    const { refused } = await sendAll(mutated(valid));
    expect(refused.size).toBeGreaterThan(contract.operations.length / 2);
  }, 180_000);

  /** Sends generated requests. Returns the operations that were accepted, and those that were refused. */
  async function sendAll(request: fc.Arbitrary<FuzzRequest>): Promise<Record<'accepted' | 'refused', Set<string>>> {
    const seen = { accepted: new Set<string>(), refused: new Set<string>() };
    const requests = fc.array(request, { minLength: 1, maxLength: MAX_REQUESTS });
    await fc.assert(
      fc.asyncProperty(requests, async (some) => {
        unhandled = [];
        const world = await FuzzWorld.begin(service, clock, callers);
        for (const one of some) {
          const { status, errors } = await outcomeOf(one, world, contract, service);
          expect(errors).toEqual([]);
          seen[status < 400 ? 'accepted' : 'refused'].add(one.operation);
        }
        expect(unhandled).toEqual([]);
      }),
      // Bounds the search for a small counterexample if the service hangs.
      { numRuns: RUNS, interruptAfterTimeLimit: TIME_LIMIT_MS },
    );
    return seen;
  }
});

describe.each(SERVERS)('On %s, the session service', (HTTP_ADAPTER) => {
  const clock = new FakeClock();
  let service: RunningService;
  let user: ServiceClient;
  let other: ServiceClient;

  beforeAll(async () => {
    const variables = {
      HTTP_ADAPTER,
      SESSION_MAX_PER_LOGIN: String(LIMITS.perLogin),
      SESSION_ROTATION_GRACE_MS: String(LIMITS.graceMs),
    };
    service = await startService({ variables, storage: new SlowStorage({ clock }) });
    user = clientOf(service, await service.register('user', 'session.*'));
    other = clientOf(service, await service.register('other', 'session.*'));
  });

  afterAll(stopServices);

  it('keeps the same sessions as a simple model after any sequence of operations', async () => {
    let run = 0;
    const property = fc.asyncProperty(sessionCommands, async (commands) => {
      run++;
      const loginIds = [`alice-${run}`, `bob/${run}`];
      const model = new SessionModel(loginIds, LIMITS, () => clock.now());
      await fc.asyncModelRun(() => ({ model, real: { user, other, clock } }), commands);
      for (const loginId of loginIds) await service.sessions.deleteAllSessions(loginId);
    });
    await expect(fc.assert(property, { numRuns: MODEL_RUNS })).resolves.toBeUndefined();
  }, 120_000);
});
