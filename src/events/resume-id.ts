import { Matches } from 'class-validator';
import { RequestError } from '../http/request.error.js';
import type { EventLog } from './event-log.js';

const FORM = /^([0-9a-f]{12})-(\d{1,15})$/;

/** How the OpenAPI document describes an id to resume after. */
export const RESUME_ID = { type: 'string', pattern: FORM.source } as const;

/** Asks for the form of such an id in a query. */
export function IsResumeId(): PropertyDecorator {
  return Matches(FORM, { message: '$property must be the id of an event, as it was received' });
}

/** Names a place in the log of this process, as the `id` of a server-sent event. */
export function resumeId({ epoch }: EventLog, position: number): string {
  return `${epoch}-${position}`;
}

/**
 * The position that a client resumes after: the newest without an id; `undefined` where what came after the id is not
 * held (any more), so that the client must be told that it missed something.
 */
export function resumePosition(log: EventLog, id: string | undefined): number | undefined {
  if (id === undefined) return log.end;
  const [, epoch, position] = FORM.exec(id) ?? [];
  if (position === undefined) {
    throw RequestError.of('ERR_REQUEST_HEADER', 'Last-Event-ID', 'must be the id of an event, as it was received.');
  }
  return epoch === log.epoch && log.isHeldAfter(Number(position)) ? Number(position) : undefined;
}
