import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { map } from 'rxjs';
import { DistributedSessionManager } from './distributed-session.manager.js';
import { InMemorySessionStorage } from '../storage/in-memory/in-memory-session-storage.js';

describe('SessionEvents', () => {
  let unhandled: unknown[];
  let sessions: DistributedSessionManager;
  const note = (error: unknown) => void unhandled.push(error);

  beforeEach(async () => {
    // The tests provoke errors, which need not appear in the output.
    Logger.overrideLogger(false);
    unhandled = [];
    process.on('uncaughtException', note).on('unhandledRejection', note);
    sessions = new DistributedSessionManager({ serviceId: 'svc', storage: new InMemorySessionStorage() });
    await sessions.connect();
  });

  afterEach(async () => {
    await sessions.close();
    process.off('uncaughtException', note).off('unhandledRejection', note);
    Logger.overrideLogger(['log', 'error', 'warn']);
  });

  it.each([
    ['throws', () => sessions.events.all.subscribe(fail)],
    ['rejects', () => sessions.events.all.subscribe((): unknown => Promise.reject(new Error('on purpose')))],
    ['throws as an observer', () => sessions.events.on('session.created').subscribe({ next: fail })],
    ['throws behind operators', () => sessions.events.all.pipe(map(({ type }) => type)).subscribe(fail)],
  ])('delivers to the other subscribers if one %s', async (_what, subscribe) => {
    let calls = 0;
    const received: string[] = [];
    subscribe();
    sessions.events.all.subscribe(({ type }) => {
      calls++;
      received.push(type);
    });
    const { sessionId } = await sessions.createSession('alice');
    await sessions.deleteSession(sessionId);
    await errorsReported();
    expect(unhandled).toEqual([]);
    expect(received).toEqual(['session.created', 'session.ended']);
    expect(calls).toBe(2);
  });

  it('keeps delivering to a subscriber that has failed', async () => {
    let calls = 0;
    sessions.events.all.subscribe(() => {
      calls++;
      fail();
    });
    const { sessionId } = await sessions.createSession('alice');
    await sessions.deleteSession(sessionId);
    await errorsReported();
    expect(unhandled).toEqual([]);
    expect(calls).toBe(2);
  });

  it('completes when the manager is closed, and delivers nothing more', async () => {
    const received: string[] = [];
    sessions.events.all.subscribe({
      next: ({ type }) => received.push(type),
      complete: () => received.push('complete'),
    });
    await sessions.close();
    expect(received).toEqual(['complete']);
  });
});

function fail(): never {
  throw new Error('a subscriber of this test fails on purpose');
}

/** rxjs reports unhandled errors in a timer of 0 ms; a timer set later fires after it. */
function errorsReported(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}
