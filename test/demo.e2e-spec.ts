import { afterEach, describe, expect, jest, test } from '@jest/globals';
import {
  DistributedSessionManager,
  type IssuedServiceCredential,
  type IssuedSession,
} from 'nestjs-distributed-session';
import { HIDDEN, describeAnswer } from '../examples/demo/expected-answer.js';
import { permitting, play, stepsOf } from './support/demo-run.js';

describe('the demo in one process', () => {
  afterEach(() => {
    jest.restoreAllMocks();
  });

  test('tells every step of the story, in order, and ends well', async () => {
    const { code, transcript, complaints } = await play();
    expect([code, complaints]).toEqual([0, '']);
    expect(stepsOf(transcript)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(transcript).toMatch(/Everything went as told\.$/);
  });

  test('C-08 prints no token and no secret', async () => {
    const created = jest.spyOn(DistributedSessionManager.prototype, 'createSession');
    const registered = jest.spyOn(DistributedSessionManager.prototype, 'registerService');
    const { transcript } = await play();
    const sessions = await Promise.all(created.mock.results.map(({ value }) => value as Promise<IssuedSession>));
    const services = await Promise.all(
      registered.mock.results.map(({ value }) => value as Promise<IssuedServiceCredential>),
    );
    const secrets = [...sessions.map(({ token }) => token), ...services.map(({ secret }) => secret)];
    expect(secrets).toHaveLength(7);
    expect(secrets.filter((secret) => transcript.includes(secret))).toEqual([]);
  });

  test('C-08 prints none of an answer that it did not expect', () => {
    const answer = { device: 'web', credential: 'canary', nested: [{ token: 'canary', secret: 'canary' }] };
    expect(describeAnswer(answer)).toBe("{ device: 'web', credential: …, nested: [ { token: …, secret: … } ] }");
    expect(describeAnswer({ text: HIDDEN })).toBe('{ text: … }');
  });

  test.each([
    {
      fault: 'pay may change the role',
      registrations: permitting('pay', ['session.read', 'session.write']),
      failed: 4,
      answered: "201 { role: 'gold' }",
      expected: "403 { code: 'ERR_SERVICE_PERMISSION', permission: 'session.write:role' }",
    },
    {
      fault: 'order may do nothing',
      registrations: permitting('order', []),
      failed: 2,
      answered: '403 {',
      expected: "200 { user: 'alice'",
    },
    {
      fault: 'user may not read sessions',
      registrations: permitting('user', ['session.create', 'session.write', 'session.list']),
      failed: 5,
      answered: '403 {',
      expected: "200 [ { device: 'web', isThisOne: true }",
    },
  ])('ends with 1 and names the step that failed when $fault', async (row) => {
    const { code, transcript, complaints } = await play({ registrations: row.registrations });
    expect(code).toBe(1);
    expect(stepsOf(transcript).at(-1)).toBe(row.failed);
    expect(complaints).toMatch(new RegExp(`^\nStep ${row.failed} failed: web: `));
    expect(complaints).toContain(`answered: ${row.answered}`);
    expect(complaints).toContain(`the story says: ${row.expected}`);
  });

  test('ends with 1 when a service cannot start', async () => {
    const { code, transcript, complaints } = await play({ registrations: permitting('pay', ['not a permission']) });
    expect([code, stepsOf(transcript)]).toEqual([1, []]);
    expect(complaints).toContain('permissions[0]');
  });

  test('ends early when it is interrupted', async () => {
    const interruption = new AbortController();
    const print = (line: string) => line.includes('3. ') && interruption.abort(130);
    const { complaints } = await play({ print, signal: interruption.signal });
    expect(complaints).toBe('\nInterrupted.');
  });
});

describe('what the demo was asked for', () => {
  test.each([[['--fast']], [['redis']], [['--processes=3']]])('is refused with the usage: %s', async (args) => {
    const { code, transcript, complaints } = await play({ args });
    expect([code, transcript]).toEqual([2, '']);
    expect(complaints).toContain('Usage: npm run demo [-- --processes]');
  });

  test.each([[[]], [['--processes']]])('is refused in words when it is Redis: %j', async (args) => {
    const environment = { DEMO_REDIS_URL: 'redis://user:canary@localhost' };
    const { code, transcript, complaints } = await play({ args, environment });
    expect([code, transcript]).toEqual([1, '']);
    expect(complaints).toBe(
      'DEMO_REDIS_URL is set, but this release has no Redis storage yet: unset it to run the demo in memory.',
    );
  });
});
