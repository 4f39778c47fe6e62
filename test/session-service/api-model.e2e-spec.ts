import { setImmediate } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { InMemorySessionStorage } from 'nestjs-distributed-session';
import type { StoredSession } from 'nestjs-distributed-session/storage';
import { FakeClock } from 'nestjs-distributed-session/testing';
import { type RunningService, SERVERS, startService, stopServices } from '../support/running-service.js';
import { type ServiceClient, clientOf } from '../support/service-client.js';
import { sessionCommands } from '../support/session-commands.js';
import { SessionModel } from '../support/session-model.js';

const TURNS = 10;

/** A storage whose answers are on their way for a while, so that what is asked at once meets. */
class LateStorage extends InMemorySessionStorage {
  override async get(sessionId: string): Promise<StoredSession | undefined> {
    const stored = await super.get(sessionId);
    for (let turn = 0; turn < TURNS; turn++) await setImmediate();
    return stored;
  }
}

const LIMITS = { perLogin: 3, graceMs: 10_000 };
const RUNS = 25;

describe.each(SERVERS)('the sessions of a login, on %s', (HTTP_ADAPTER) => {
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
    service = await startService({ variables, storage: new LateStorage({ clock }) });
    user = clientOf(service, await service.register('user', 'session.*'));
    other = clientOf(service, await service.register('other', 'session.*'));
  });

  afterAll(stopServices);

  it('are what a simple model says, whatever services do, in whatever order', async () => {
    let run = 0;
    const property = fc.asyncProperty(sessionCommands, async (commands) => {
      run++;
      const loginIds = [`alice-${run}`, `bob/${run}`];
      const model = new SessionModel(loginIds, LIMITS, () => clock.now());
      await fc.asyncModelRun(() => ({ model, real: { user, other, clock } }), commands);
      for (const loginId of loginIds) await service.sessions.deleteAllSessions(loginId);
    });
    await expect(fc.assert(property, { numRuns: RUNS })).resolves.toBeUndefined();
  }, 120_000);
});
