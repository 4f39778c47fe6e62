import { setTimeout } from 'node:timers/promises';
import type { ListedRecord } from '../session-record.js';
import { planAdmission } from '../session-admission.js';
import type { CreateSession, CreateSessionResult, EndSession, SessionLimits } from '../session-storage.operations.js';
import type { RedisConnection } from './connection/redis-connection.js';
import { followTagKey } from './connection/store-claim.js';
import { packText } from './records/bytes.js';
import { packIdentity, writtenRecord } from './records/stored-session.js';
import type { RedisConnections } from './redis-connections.js';
import type { RedisSessionReader } from './redis-session-reader.js';
import { createSessionScript } from './scripts/create-session.script.js';
import type { SessionKeys } from './session-keys.js';

/** So short before a change of the tag key, a creation waits for it. */
const CHANGE_MS = 100;
/** Before the clock has been read, its error is unknown. */
const MAX_CLOCK_ERROR_MS = 1_000;

interface CreationContext {
  readonly connections: RedisConnections;
  readonly keys: SessionKeys;
  readonly reader: RedisSessionReader;
  readonly end: (ending: EndSession) => Promise<unknown>;
}

/** The result of a creation, or that the session id does not have the tag of its user. */
export type Creation = CreateSessionResult | { readonly outcome: 'foreign-id' };

/**
 * Creates a session within the limits of its user, in one step on the user's sessions under the tag of its id.
 *
 * While the tag key is changed, the user may have sessions under an earlier tag, in another cluster slot. None is created
 * there any more: the change has a time that every process reads before each creation, and no write under the earlier key
 * is applied after it. So what was read there is at least what is there later, and the limits are kept: those sessions
 * are ended first if necessary, and the others take their part of the limits.
 */
export async function createRedisSession(context: CreationContext, creation: CreateSession): Promise<Creation> {
  const { connections, keys } = context;
  const { sessionId, loginId, limits } = creation;
  const { connection, clock } = connections;
  const { tagKeys } = keys;
  if (tagKeys.isOne) {
    if (keys.tagOfSession(sessionId) !== keys.tagOfLogin(loginId)) return { outcome: 'foreign-id' };
    return createWithin(context, connection, creation, limits);
  }
  const certainly = () => clock.now() - Math.min(clock.errorMs, MAX_CLOCK_ERROR_MS);
  let readAt = certainly();
  await followTagKey(connection, keys);
  const { switchAt } = tagKeys.stored;
  const untilChange = switchAt - readAt;
  if (untilChange > 0 && untilChange < CHANGE_MS) {
    await setTimeout(untilChange);
    readAt = certainly();
  }
  const tag = tagKeys.at(readAt).tagOf(loginId);
  if (keys.tagOfSession(sessionId) !== tag) {
    // The caller repeats the creation with a new id, which has the tag of the key that is used now.
    const isEarlier = tagKeys.tagsOf(loginId).includes(keys.tagOfSession(sessionId) ?? '');
    return { outcome: isEarlier ? 'id-taken' : 'foreign-id' };
  }
  const rest = await makeRoomElsewhere(context, creation, tag);
  if ('outcome' in rest) return rest;
  const before = readAt < switchAt ? switchAt : Infinity;
  return createWithin(context, connection.applyBefore(before), creation, rest);
}

/** Ends the sessions under other tags that this one displaces, and returns what they leave of the limits. */
async function makeRoomElsewhere(
  { reader, end }: CreationContext,
  { loginId, device, limits, by, historyRetentionMs }: CreateSession,
  tag: string,
): Promise<SessionLimits | CreateSessionResult> {
  const logins = await reader.readLogin(loginId);
  const live = logins.flatMap((login) =>
    login.sessions.listLive(loginId, login.now).map((record) => ({ record, isElsewhere: login.tag !== tag })),
  );
  if (!live.some(({ isElsewhere }) => isElsewhere)) return limits;
  const oldestFirst = live.toSorted((a, b) => (a.record.createdAt ?? 0) - (b.record.createdAt ?? 0));
  const plan = planAdmission(oldestFirst, ({ record }) => admissionRecordOf(record), limits, device);
  if ('refused' in plan) return { outcome: 'limit-reached', scope: plan.refused };
  const displaced = plan.displaced.filter(({ item }) => item.isElsewhere);
  await Promise.all(
    displaced.map(async ({ item, reason }) =>
      end({ sessionId: item.record.sessionId, reason, by, historyRetentionMs }),
    ),
  );
  const ended = new Set(displaced.map(({ item }) => item));
  const kept = oldestFirst.filter((item) => item.isElsewhere && !ended.has(item));
  const onDevice = kept.filter(({ record }) => record.device === device).length;
  return {
    ...limits,
    perLogin: limits.perLogin - kept.length,
    ...(limits.perDevice !== undefined && { perDevice: limits.perDevice - onDevice }),
  };
}

function admissionRecordOf(record: ListedRecord): { readonly device?: string; readonly lastAccessedAt: number } {
  return { device: record.device, lastAccessedAt: record.lastAccessedAt ?? 0 };
}

async function createWithin(
  { connections, keys }: CreationContext,
  connection: RedisConnection,
  creation: CreateSession,
  limits: SessionLimits,
): Promise<CreateSessionResult> {
  const { sessionId, loginId, device, by, tokenDigest, payload, historyRetentionMs } = creation;
  const tag = keys.tagOfSession(sessionId)!;
  const login = packText(loginId);
  const identity = packIdentity({ sessionId, loginId, device, serviceId: by });
  const args = {
    tag,
    sessionId,
    identity,
    tokenDigest: packText(tokenDigest),
    payload: Buffer.from(payload),
    loginId: login,
    loginAndDevice: Buffer.concat([login, packText(device)]),
    perLogin: limits.perLogin,
    perDevice: (device !== undefined && limits.perDevice) || 0,
    onLimit: limits.onLimit,
    idle: creation.idleTimeoutMs ?? 0,
    absolute: creation.absoluteTimeoutMs ?? 0,
    retention: historyRetentionMs,
    by: packText(by),
  };
  const written = await connections.write(createSessionScript, keys.all(tag), args, connection);
  // Another key is used by now, so the session needs another id.
  if (written.outcome === 'id-taken' || written.outcome === 'late') return { outcome: 'id-taken' };
  const [header] = written.rest;
  if (written.outcome === 'limit-reached') {
    return { outcome: 'limit-reached', scope: header!.toString() as 'login' | 'device' };
  }
  return { outcome: 'created', session: writtenRecord(header!, payload) };
}
