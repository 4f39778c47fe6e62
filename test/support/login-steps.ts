import { expect } from '@jest/globals';
import type { Session } from 'nestjs-distributed-session';
import type { HistoryResponse, LoginPageResponse } from '../../src/logins/login.dto.js';
import type { SessionPage } from '../../src/logins/session-page.js';
import { type Compared, shown } from './session-steps.js';

/** Ends a user's sessions except one, or those on a device. */
export async function endAll(
  { model, real }: Compared,
  login: number,
  except: number | undefined,
  device: string | undefined,
  reason: string,
): Promise<void> {
  const loginId = model.login(login);
  const given = except === undefined ? undefined : model.pick(except);
  const kept = given && model.follow(given);
  const query = new URLSearchParams({
    reason,
    ...(given && { except: given.sessionId }),
    ...(device !== undefined && { device }),
  });
  const ending = model
    .liveOf(loginId)
    .filter((session) => session !== kept && (device === undefined || session.device === device));
  const answer = await real.other(`DELETE ${pathOf(loginId)}/sessions?${query.toString()}`);
  expect(answer).toMatchObject({ status: 200, json: { ended: ending.length } });
  for (const session of ending) model.end(session, { reason });
}

export async function list({ model, real }: Compared, login: number): Promise<void> {
  const loginId = model.login(login);
  const live = model.liveOf(loginId);
  const { json } = await real.user<SessionPage>(`GET ${pathOf(loginId)}/sessions`);
  expect([json.total, json.sessions.map((session) => shown(session as Session))]).toEqual([
    live.length,
    live.map(shown),
  ]);
  const online = await real.user<LoginPageResponse>('GET /v1/logins');
  expect(online.json.logins.find((one) => one.loginId === loginId)?.sessions ?? 0).toBe(live.length);
}

/** Compares a user's tombstones, the last first, with the reason of their first end. */
export async function listHistory({ model, real }: Compared, login: number): Promise<void> {
  const loginId = model.login(login);
  const { json } = await real.user<HistoryResponse>(`GET ${pathOf(loginId)}/history`);
  const listed = json.history.map(({ sessionId, reason, rotatedTo }) => [sessionId, reason, rotatedTo]);
  const ended = model
    .historyOf(loginId)
    .map(({ sessionId, ending }) => [sessionId, ending!.reason, ending!.rotatedTo?.sessionId]);
  expect(listed).toEqual(ended);
}

function pathOf(loginId: string): string {
  return `/v1/logins/${encodeURIComponent(loginId)}`;
}
