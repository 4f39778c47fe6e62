import { isRecordedEndReason } from '../../../model/end-reason.js';
import { SERVICE_CHANGES, type StorageChange } from '../../storage-change.js';
import { unescapeText } from './escaped-text.js';

/** A change in the feed's table, with the write that made it. */
export interface PublishedChange {
  readonly change: StorageChange;
  readonly origin?: string;
}

/** Reads a change as the functions write it. Returns `undefined` for a foreign text, and for what only later releases know. */
export function readPublishedChange(text: string): PublishedChange | undefined {
  let fields: Record<string, unknown>;
  try {
    fields = Object(JSON.parse(text) as unknown) as Record<string, unknown>;
  } catch {
    return undefined;
  }
  const { type, at, origin } = fields;
  if (!isWhole(at)) return undefined;
  const change = type === 'service.changed' ? serviceChange(fields, at) : sessionChange(fields, at);
  return change && { change, ...(typeof origin === 'string' && { origin }) };
}

function serviceChange(fields: Record<string, unknown>, at: number): StorageChange | undefined {
  const { serviceId, by } = fields;
  const change = SERVICE_CHANGES.find((known) => known === fields['change']);
  if (change === undefined || typeof serviceId !== 'string' || typeof by !== 'string') return undefined;
  return { type: 'service.changed', change, serviceId: unescapeText(serviceId), by: unescapeText(by), at };
}

function sessionChange(fields: Record<string, unknown>, at: number): StorageChange | undefined {
  const { type, sessionId, loginId, serviceId, device, version, by, rotatedTo, reason, actor } = fields;
  if (![sessionId, loginId, serviceId, by].every((text) => typeof text === 'string')) return undefined;
  if (!isWhole(version) || ![device, rotatedTo, actor].every(isOptionalText)) return undefined;
  const about = {
    sessionId: sessionId as string,
    loginId: unescapeText(loginId as string),
    serviceId: unescapeText(serviceId as string),
    ...(device !== undefined && { device: unescapeText(device as string) }),
    version,
    by: unescapeText(by as string),
    at,
  };
  if (type === 'session.created' || type === 'session.updated') return { type, ...about };
  const ending = { ...about, ...(actor !== undefined && { actor: unescapeText(actor as string) }) };
  if (type === 'session.rotated') {
    return typeof rotatedTo === 'string' ? { type, ...ending, rotatedTo } : undefined;
  }
  if (type !== 'session.ended' || !isRecordedEndReason(reason) || reason === 'rotated') return undefined;
  return { type, ...ending, reason };
}

function isWhole(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isOptionalText(value: unknown): boolean {
  return value === undefined || typeof value === 'string';
}
