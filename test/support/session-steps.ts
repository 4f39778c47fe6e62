import { isDeepStrictEqual } from 'node:util';
import { expect } from '@jest/globals';
import type { Session } from 'nestjs-distributed-session';
import type { FakeClock } from 'nestjs-distributed-session/testing';
import type { IssuedSessionView } from '../../src/sessions/session.dto.js';
import type { ModelSession, SessionModel } from './session-model.js';
import type { ServiceAnswer, ServiceClient } from './service-client.js';

/** The service to compare with the model. */
export interface RealSessions {
  readonly user: ServiceClient;
  /** Another service with the same permissions. */
  readonly other: ServiceClient;
  readonly clock: FakeClock;
}

export interface Compared {
  readonly model: SessionModel;
  readonly real: RealSessions;
}

type Attributes = Readonly<Record<string, unknown>>;

export async function create(
  { model, real }: Compared,
  login: number,
  device: string | undefined,
  attributes: Attributes,
): Promise<void> {
  const loginId = model.login(login);
  const { status, json } = await real.user<IssuedSessionView>('POST /v1/sessions', { loginId, device, attributes });
  expect([status, json.version]).toEqual([201, 1]);
  const { sessionId, token } = json;
  const session = { sessionId, token, loginId, version: 1, attributes, ...(device !== undefined && { device }) };
  expect(shown(json)).toEqual(shown(session));
  model.add(session);
}

export async function read({ model, real }: Compared, index: number): Promise<void> {
  const session = model.pick(index);
  expectSession(await real.user(`GET /v1/sessions/${session.sessionId}`), session);
}

export async function refresh({ model, real }: Compared, index: number): Promise<void> {
  const session = model.pick(index);
  expectSession(await real.user(`POST /v1/sessions/${session.sessionId}/refresh`), session);
}

export async function set({ model, real }: Compared, index: number, key: string, value: unknown): Promise<void> {
  const session = model.pick(index);
  const answer = await real.user(`PUT ${pathOf(session)}/${key}`, { value });
  expectSession(answer, merge(model.follow(session), Object.fromEntries([[key, value]]), []));
}

export async function remove({ model, real }: Compared, index: number, key: string): Promise<void> {
  const session = model.pick(index);
  const answer = await real.user(`DELETE ${pathOf(session)}/${key}`);
  expectSession(answer, merge(model.follow(session), {}, [key]));
}

export async function patch(
  { model, real }: Compared,
  index: number,
  attributes: Attributes,
  keys: readonly string[],
): Promise<void> {
  const session = model.pick(index);
  const removed = keys.filter((key) => !Object.hasOwn(attributes, key));
  const answer = await real.other(`PATCH ${pathOf(session)}`, { set: attributes, remove: removed });
  expectSession(answer, merge(model.follow(session), attributes, removed));
}

/** Replaces the attributes of the current version plus `ahead`, which conflicts unless `ahead` is 0. */
export async function replace(
  { model, real }: Compared,
  index: number,
  attributes: Attributes,
  ahead: number,
): Promise<void> {
  const session = model.pick(index);
  const headers = { 'if-match': `"${session.version + ahead}"` };
  const answer = await real.user(`PUT /v1/sessions/${session.sessionId}`, { attributes }, headers);
  if (!session.ending && ahead !== 0) {
    expect(answer).toMatchObject({ status: 412, json: { currentVersion: session.version } });
    return;
  }
  if (!session.ending && !isDeepStrictEqual(entriesOf(session.attributes), entriesOf(attributes))) {
    Object.assign(session, { attributes, version: session.version + 1 });
  }
  expectSession(answer, session);
}

/** Sets several keys concurrently, from two services, and expects all of them afterwards. */
export async function setAtOnce({ model, real }: Compared, index: number, keys: readonly string[]): Promise<void> {
  const session = model.follow(model.pick(index));
  if (session.ending) return;
  const writers = [real.user, real.other];
  const writes = keys.map((key, at) => writers[at % 2]!(`PUT ${pathOf(session)}/${key}`, { value: at }));
  expect((await Promise.all(writes)).map(({ status }) => status)).toEqual(keys.map(() => 200));
  const { json } = await real.user<Session>(`GET /v1/sessions/${session.sessionId}`);
  // Concurrent writes of one process to one session may be combined.
  expect(json.version).toBeGreaterThan(session.version);
  expect(json.version).toBeLessThanOrEqual(session.version + keys.length);
  const written = Object.fromEntries(keys.map((key, at) => [key, at]));
  Object.assign(session, { version: json.version, attributes: { ...session.attributes, ...written } });
  expect(shown(json)).toEqual(shown(session));
}

export async function rotate({ model, real }: Compared, index: number): Promise<void> {
  const session = model.pick(index);
  const answer = await real.user<IssuedSessionView>(`POST /v1/sessions/${session.sessionId}/rotate`, { actor: 'ops' });
  if (session.ending) return expectSession(answer, session);
  const { sessionId, token } = answer.json;
  const { ending, ...kept } = session;
  const successor = { ...kept, sessionId, token, version: 1 };
  expect([answer.status, shown(answer.json)]).toEqual([201, shown(successor)]);
  model.rotate(session, successor);
}

/** Ends a session, also by the id that it had before a rotation. */
export async function end({ model, real }: Compared, index: number, reason: string): Promise<void> {
  const session = model.pick(index);
  const target = model.follow(session, Infinity);
  const answer = await real.user(`DELETE /v1/sessions/${session.sessionId}?reason=${reason}`);
  expect(answer).toMatchObject({ status: 200, json: { ended: !target.ending } });
  if (!target.ending) model.end(target, { reason });
}

export async function verify({ model, real }: Compared, index: number, isRight: boolean): Promise<void> {
  const session = model.pick(index);
  const credential = `${session.sessionId}.${isRight ? session.token : 'x'.repeat(43)}`;
  const answer = await real.user('POST /v1/sessions/verify', { credential });
  const current = model.follow(session);
  if (isRight) return expectSession(answer, current);
  expect(answer).toMatchObject({ status: 404, json: { code: 'ERR_SESSION_NOT_FOUND' } });
}

/** The fields that a session and its model share. */
export function shown({ sessionId, loginId, device, version, attributes }: Session | ModelSession) {
  return { sessionId, loginId, device, version, attributes: entriesOf(attributes) };
}

/** Merges a patch into the model. An empty patch keeps the version. */
function merge(session: ModelSession, attributes: Attributes, keys: readonly string[]): ModelSession {
  const removed = keys.filter((key) => Object.hasOwn(session.attributes, key));
  if (session.ending || Object.keys(attributes).length + removed.length === 0) return session;
  const kept = Object.entries(session.attributes).filter(([key]) => !removed.includes(key));
  return Object.assign(session, {
    version: session.version + 1,
    attributes: { ...Object.fromEntries(kept), ...attributes },
  });
}

/** Expects the session, or its end. */
function expectSession({ status, json }: ServiceAnswer<unknown>, session: ModelSession): void {
  if (!session.ending) return expect([status, shown(json as Session)]).toEqual([200, shown(session)]);
  const { reason, rotatedTo } = session.ending;
  const ended = { code: 'ERR_SESSION_ENDED', reason, ...(rotatedTo && { rotatedTo: rotatedTo.sessionId }) };
  expect([status, json]).toMatchObject([410, ended]);
}

function entriesOf(attributes: Attributes): [string, unknown][] {
  return Object.entries(attributes).toSorted(([a], [b]) => (a < b ? -1 : 1));
}

function pathOf({ sessionId }: ModelSession): string {
  return `/v1/sessions/${sessionId}/attributes`;
}
